// Package cgo makes a build without cgo fail with a sentence that says what is
// missing, before SQLite's driver fails with many that do not.
package cgo
