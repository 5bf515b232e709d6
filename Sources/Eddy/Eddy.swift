// The Eddy module.
