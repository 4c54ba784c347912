"""Real servers for tests: started on free loopback ports in directories of their own, ended by their own pid."""
