//go:build !cgo

package cgo

const _ int = "hookgate needs cgo, for SQLite is written in C: install a C compiler (gcc or clang) and build with CGO_ENABLED=1"
