// EddyCore.
