"""Files at the addresses of object stores: read as files of this machine are, and written whole."""
