// The EddyJobs module.
