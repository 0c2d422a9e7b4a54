package event

import "time"

// File is a file that came with a form post. Its content is in the folder of
// files, under its ID.
type File struct {
	ID      string // random, see package files
	Event   ID
	Field   string // of the form
	Name    string // for people
	Type    string // media type, told from its content
	Size    int64  // bytes
	SHA256  string // in hexadecimal
	Created time.Time
}
