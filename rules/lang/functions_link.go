package lang

import (
	"time"

	"hookgate/internal/diag"
	"hookgate/internal/yamlnode"
)

const (
	defaultLink = 30 * 24 * time.Hour // how long a link of file_url lasts
	longestLink = 366 * 24 * time.Hour
)

// Links makes the address of a file that came with an event of that time; it
// is good for so long.
type Links func(id string, event time.Time, good time.Duration) string

// SetLinks says what file_url gives from now on. Before it, file_url gives the
// path of the file without a signature: enough to see what would be sent.
func (c *Compiler) SetLinks(links Links) { c.space.links.Store(&links) }

// linkCall is a place where file_url is called.
type linkCall struct {
	src      *source
	from, to int
}

// FileURLs are faults with that text at every call of file_url that was
// compiled.
func (c *Compiler) FileURLs(code, hint, message string) diag.List {
	var list diag.List
	told := map[diag.Position]bool{} // what is compiled twice is said once
	for _, call := range c.space.linked {
		at := call.src.at(call.from, call.to)
		if told[at] {
			continue
		}
		told[at] = true
		list = append(list, call.src.fault(call.from, call.to, code, hint, "%s", message))
	}
	return list
}

// fileURL is file_url(data.brief) and file_url(data.brief, "7d").
func fileURL(m *meter, args []any) (any, error) {
	if len(args) < 1 || len(args) > 2 {
		return nil, limitf("file_url needs a file, and perhaps how long the link is good")
	}
	if args[0] == nil {
		return nil, nil // the visitor sent no file
	}
	if _, several := args[0].([]any); several {
		return nil, limitf(`file_url needs one file, and this is a list of them: write map(…, file_url(#))`)
	}
	file, ok := args[0].(map[string]any)
	id, hasID := file["id"].(string)
	if !ok || !hasID {
		return nil, limitf("file_url needs a file of a form, but got %s", kindOf(args[0]))
	}
	good := defaultLink
	if len(args) == 2 {
		text, ok := args[1].(string)
		if !ok {
			return nil, limitf("file_url needs a text such as \"7d\", but got %s", kindOf(args[1]))
		}
		var err error
		if good, err = yamlnode.ParseDuration(text); err != nil || good < time.Minute || good > longestLink {
			return nil, limitf("file_url needs a duration from 1m to 366d, such as \"7d\"")
		}
	}
	if m.links == nil {
		return "/files/" + id, nil
	}
	return (*m.links)(id, m.at, good), nil
}
