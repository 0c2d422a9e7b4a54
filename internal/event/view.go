package event

import "time"

// View is a list of events that people keep under a name.
type View struct {
	Name    string
	Query   string // as it is typed into the search of the page
	By      string // who kept it
	Changed time.Time
}
