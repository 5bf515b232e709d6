// The EddyHTTP module.
