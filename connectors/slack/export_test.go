package slack

// Escape is for the fuzz targets and tables of the tests.
var Escape = escape

// Unescape is for the fuzz targets and tables of the tests.
var Unescape = unescape
