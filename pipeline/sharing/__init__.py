"""Work that several processes and machines share over one data folder, each piece done by one of them."""
