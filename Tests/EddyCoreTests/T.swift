import EddyCore
