"""Models of other code bases, brought into this one."""
