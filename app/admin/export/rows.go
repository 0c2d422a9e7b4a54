package export

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// table is a file of rows.
type table interface{ Row(values ...any) error }

func (e *Export) writeTable(to table) error {
	header := []any{"id", "time"}
	for _, name := range e.columns {
		header = append(header, name)
	}
	if err := to.Row(header...); err != nil {
		return err
	}
	return each(e.spool, func(one *Post) error { return to.Row(e.row(one)...) })
}

func (e *Export) writeJSON(w *bufio.Writer) error {
	_, _ = w.WriteString("[") // a bufio.Writer keeps its first error for Flush
	first := true
	err := each(e.spool, func(one *Post) error {
		text, err := json.Marshal(one)
		if err != nil {
			return err
		}
		if !first {
			_, _ = w.WriteString(",")
		}
		first = false
		_, _ = w.WriteString("\n")
		_, _ = w.Write(text)
		return nil
	})
	_, _ = w.WriteString("\n]\n")
	return err
}

// each reads the spooled posts.
func each(spool io.Reader, do func(one *Post) error) error {
	decoder := json.NewDecoder(bufio.NewReader(spool))
	for decoder.More() {
		var one Post
		if err := decoder.Decode(&one); err != nil {
			return fmt.Errorf("read what was collected: %w", err)
		}
		if err := do(&one); err != nil {
			return err
		}
	}
	return nil
}

// cell is a field of a post under its column.
type cell struct {
	name  string
	value any
}

// members are the fields of a post's data in their order; those under extra,
// which the form does not declare, are called extra.NAME.
func members(data json.RawMessage) []cell {
	var list []cell
	for _, m := range ordered(data) {
		if m.name != "extra" {
			list = append(list, m)
			continue
		}
		raw, err := json.Marshal(m.value)
		if err != nil {
			continue
		}
		for _, inner := range ordered(raw) {
			list = append(list, cell{"extra." + inner.name, inner.value})
		}
	}
	return list
}

// ordered reads a JSON object in the order of its keys; nil if it is none.
func ordered(data []byte) []cell {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return nil
	}
	var list []cell
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return list
		}
		m := cell{}
		m.name, _ = key.(string)
		if err := d.Decode(&m.value); err != nil {
			return list
		}
		list = append(list, m)
	}
	return list
}

// row is a post under the columns.
func (e *Export) row(one *Post) []any {
	values := map[string]any{}
	for _, m := range members(one.Data) {
		values[m.name] = cellText(m.value, one.Files)
	}
	at := one.Time.In(e.options.Zone)
	row := []any{one.ID.String(), at}
	if e.options.Format == CSV {
		row[1] = at.Format(time.RFC3339)
	}
	for _, name := range e.columns {
		row = append(row, values[name])
	}
	return row
}

// cellText is a value as one cell shows it: a list by its items, a file by its
// path or its name, any other object as JSON.
func cellText(v any, files map[string]string) any {
	switch v := v.(type) {
	case nil, string, json.Number, bool:
		return v
	case map[string]any:
		if id, name, ok := fileOf(v); ok {
			if saved := files[id]; saved != "" {
				return saved
			}
			return name
		}
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			text, _ := json.Marshal(item) // what was decoded from JSON can be written
			switch inner := cellText(item, files).(type) {
			case string:
				text = []byte(inner)
			case nil:
				text = nil
			}
			parts[i] = string(text)
		}
		return strings.Join(parts, ", ")
	}
	text, _ := json.Marshal(v) // as above
	return string(text)
}

// File names a file of a post.
type File struct{ ID, Name string }

// Files are the files in a post's data, in their order.
func Files(data json.RawMessage) []File {
	var list []File
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if id, name, ok := fileOf(v); ok {
				list = append(list, File{id, name})
			}
		case []any:
			for _, item := range v {
				look(item)
			}
		}
	}
	for _, m := range ordered(data) {
		if m.name != "extra" { // what a visitor wrote there is no file
			look(m.value)
		}
	}
	return list
}

func fileOf(v map[string]any) (id, name string, ok bool) {
	id, _ = v["id"].(string)
	name, _ = v["name"].(string)
	return id, name, strings.HasPrefix(id, "fil_") && v["sha256"] != nil
}
