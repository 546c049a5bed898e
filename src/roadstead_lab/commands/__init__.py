"""The lab's commands, which `roadstead` finds through entry points."""
