"""Kills, failing disks and damaged files, for as long as you like."""
