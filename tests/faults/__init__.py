"""Faults: power cuts, kills, full disks, cut files, size bombs. What each test looks for, a control plants."""
