package ingest

import (
	"time"

	"hookgate/app/ingest/files"
	"hookgate/app/ingest/source"
	"hookgate/forms"
	"hookgate/rules"
)

// Plan is what a loaded configuration says of events that come in. It never
// changes: a reload makes a new one.
type Plan struct {
	ID      int64  // under which the store keeps the names of its rules
	Hash    string // of the configuration file
	Sources map[string]*source.Source
	Forms   map[string]*forms.Form
	// Senders prove the posts of the forms that form builders send.
	Senders map[string]*source.Source
	Rules   *rules.Set
	// Files is where the files of form posts go; nil where no form takes any.
	Files *files.Dir
	// Autoreplies are what forms themselves answer, by the form's name.
	Autoreplies map[string]*rules.Set
	// Location is the time zone of event.time; nil: UTC.
	Location *time.Location
}
