// Package table has the fixed tables of a configuration: rows that rules look
// up by a key. They never change while the configuration is in force, and are
// stored with the version of it, so that what was decided can be explained.
package table

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"hookgate/internal/jsondoc"
)

// The bounds of a table.
const (
	MaxRows = 10_000
	MaxSize = 1 << 20 // bytes of its file, or of its rows as JSON
)

// Fixed is a fixed table. It is immutable and safe for concurrent use.
type Fixed struct {
	content []byte
	hash    string
	key     string
	columns []string
	rows    map[string]any
}

// stored is a table as it is written.
type stored struct {
	Table   string            `json:"table"` // the key's column; says what the text is, too
	Columns []string          `json:"columns"`
	Rows    []json.RawMessage `json:"rows"`
}

// New makes a table of rows that are plain data. Its error is for people.
func New(key string, columns []string, rows []map[string]any) (*Fixed, error) {
	s := stored{Table: key, Columns: columns, Rows: make([]json.RawMessage, len(rows))}
	for i, row := range rows {
		var err error
		if s.Rows[i], err = json.Marshal(row); err != nil {
			return nil, fmt.Errorf("encode row %d: %w", i+1, err)
		}
	}
	content, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode the table: %w", err)
	}
	if len(content) > 2*MaxSize {
		return nil, fmt.Errorf("a table of more than %d MB is too large", MaxSize>>20)
	}
	return Parse(content)
}

// Parse reads what Content has given.
func Parse(content []byte) (*Fixed, error) {
	var s stored
	if err := json.Unmarshal(content, &s); err != nil {
		return nil, fmt.Errorf("read a table: %w", err)
	}
	sum := sha256.Sum256(content)
	t := &Fixed{content: content, hash: hex.EncodeToString(sum[:16]), key: s.Table, columns: s.Columns, rows: make(map[string]any, len(s.Rows))}
	for _, text := range s.Rows {
		doc, err := jsondoc.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("read a table: %w", err)
		}
		row, _ := doc.Value().(map[string]any)
		doc.Release()
		key, ok := KeyText(row[s.Table])
		if !ok {
			return nil, fmt.Errorf("read a table: a row has no %s", s.Table)
		}
		t.rows[key] = row
	}
	return t, nil
}

// Content is the table as text, from which Parse makes it again.
func (t *Fixed) Content() []byte { return t.content }

// Hash names the content.
func (t *Fixed) Hash() string { return t.hash }

// Columns are the names that rows have, in the order of the file.
func (t *Fixed) Columns() []string { return t.columns }

// Len is how many rows there are.
func (t *Fixed) Len() int { return len(t.rows) }

// Row is the row under the key, as plain data; nil where there is none. Nobody
// may change it.
func (t *Fixed) Row(key string) any { return t.rows[key] }

// Rows are all rows, in the order of their keys.
func (t *Fixed) Rows() []any {
	keys := make([]string, 0, len(t.rows))
	for key := range t.rows {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	list := make([]any, len(keys))
	for i, key := range keys {
		list[i] = t.rows[key]
	}
	return list
}

// KeyText is the text that a value is compared by, as keys are. False: it can
// be none, for it is null, empty, a list or an object.
func KeyText(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, x != ""
	case json.Number:
		return x.String(), true
	case bool, int, float64:
		return fmt.Sprint(x), true
	}
	return "", false
}

// CSV is a table's file, read.
type CSV struct {
	Columns []string
	Rows    []map[string]any
	Lines   []int // where each row begins, from 1
}

// CSVError is a fault in a line of the file.
type CSVError struct {
	Line    int
	Message string
}

func (e *CSVError) Error() string { return e.Message }

// ReadCSV reads a file whose first line names the columns. Values are parted by
// commas, or by the semicolons or tabs that the first line has. All are texts;
// an empty one is null. The error is a *CSVError.
func ReadCSV(content []byte) (*CSV, error) {
	content = bytes.TrimPrefix(content, []byte("\uFEFF"))
	r := csv.NewReader(bytes.NewReader(content))
	r.Comma = separator(content)
	r.FieldsPerRecord = -1
	out := &CSV{}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if fault := (*csv.ParseError)(nil); errors.As(err, &fault) {
			return nil, &CSVError{fault.Line, fmt.Sprintf("the line is not CSV: %s", fault.Err)}
		}
		if err != nil {
			return nil, &CSVError{1, err.Error()}
		}
		line, _ := r.FieldPos(0)
		if fault := out.add(record, line); fault != nil {
			return nil, fault
		}
	}
	if out.Columns == nil {
		return nil, &CSVError{1, "the file is empty: its first line names the columns"}
	}
	return out, nil
}

// separator is what parts the values of the first line.
func separator(content []byte) rune {
	first, _, _ := bytes.Cut(content, []byte("\n"))
	for _, c := range []byte(",;\t") {
		if bytes.IndexByte(first, c) >= 0 {
			return rune(c)
		}
	}
	return ','
}

// add takes a line: the columns, or a row.
func (c *CSV) add(record []string, line int) error {
	if c.Columns == nil {
		for _, name := range record {
			name = strings.TrimSpace(name)
			switch {
			case name == "":
				return &CSVError{line, "a column has no name"}
			case slices.Contains(c.Columns, name):
				return &CSVError{line, fmt.Sprintf("two columns are called %q", name)}
			}
			c.Columns = append(c.Columns, name)
		}
		return nil
	}
	if len(record) != len(c.Columns) {
		return &CSVError{line, fmt.Sprintf("the line has %d values, and there are %d columns", len(record), len(c.Columns))}
	}
	row := make(map[string]any, len(record))
	for i, value := range record {
		if value = strings.TrimSpace(value); value != "" {
			row[c.Columns[i]] = value
		} else {
			row[c.Columns[i]] = nil
		}
	}
	c.Rows, c.Lines = append(c.Rows, row), append(c.Lines, line)
	return nil
}
