package email

// EscapeAddress is for the fuzz targets and tables of the tests.
var EscapeAddress = escapeAddress
