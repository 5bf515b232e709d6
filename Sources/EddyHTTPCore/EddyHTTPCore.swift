// The EddyHTTPCore module.
