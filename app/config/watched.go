package config

import (
	"os"
	"path/filepath"
	"slices"
)

// Parts are the other files that a configuration is made of, for who waits for
// a change of one. The zero Parts are none.
type Parts struct {
	// Files are their paths, also of those that can't be read.
	Files []string
	// Patterns are what include names, from where the process runs.
	Patterns []string
}

// Concern reports whether a file or a folder that came, went or changed is one
// of them, or would be: one that a pattern matches, or a folder on the way.
func (p *Parts) Concern(path string) bool {
	path = filepath.Clean(path)
	if slices.Contains(p.Files, path) {
		return true
	}
	for _, pattern := range p.Patterns {
		for i, part := range onTheWay(pattern) {
			if matches, _ := filepath.Match(part, path); matches && (i > 0 || !hidden(path, pattern)) {
				return true
			}
		}
	}
	return false
}

// Folders are those that changes of them are seen in, as far as they are there.
func (p *Parts) Folders() []string {
	var list []string
	add := func(folder string) {
		if info, err := os.Stat(folder); err == nil && info.IsDir() && !slices.Contains(list, folder) {
			list = append(list, folder)
		}
	}
	for _, file := range p.Files {
		add(filepath.Dir(file))
	}
	for _, pattern := range p.Patterns {
		for _, part := range onTheWay(pattern) {
			found, _ := filepath.Glob(filepath.Dir(part))
			for _, folder := range found {
				add(folder)
			}
		}
	}
	return list
}

// onTheWay is the pattern with those of the folders that lead to it, up to the
// first that is no pattern.
func onTheWay(pattern string) []string {
	list := []string{pattern}
	for hasPattern(pattern) && filepath.Dir(pattern) != pattern {
		pattern = filepath.Dir(pattern)
		list = append(list, pattern)
	}
	return list
}
