"""Speed and memory, each measured beside its limit or beside the naive way, in one run on one machine."""
