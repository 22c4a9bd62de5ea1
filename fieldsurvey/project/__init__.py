"""The signed bundle that a device trusts, and the ceremonies around it: making, widening, enrolling, publishing."""
