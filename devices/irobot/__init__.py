"""Robots of iRobot: by their serial port, by the broker in them."""
