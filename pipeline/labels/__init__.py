"""Labels as people have them, and the classes that they become."""
