// Package export writes what a form got as a file: CSV, a workbook, or JSON. The
// command line and the pages write the same.
package export

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"hookgate/app/admin"
	"hookgate/internal/csv"
	"hookgate/internal/event"
	"hookgate/internal/xlsx"
)

// Format is a kind of file.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
	JSON Format = "json"
)

// Formats are all formats.
func Formats() []Format { return []Format{CSV, XLSX, JSON} }

// Options say what is written, and how.
type Options struct {
	Form      string
	Fields    []string // the columns that come first, as the form declares them
	Format    Format
	Delimiter rune           // of CSV
	Zone      *time.Location // that times are shown in
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	if !slices.Contains(Formats(), o.Format) {
		return fmt.Errorf("there is no format %q: csv, xlsx or json", o.Format)
	}
	if err := csv.CheckDelimiter(o.Delimiter); err != nil {
		return err
	}
	if o.Delimiter != ',' && o.Format != CSV {
		return fmt.Errorf("%s has no delimiter: leave it out", o.Format)
	}
	return nil
}

// Post is a post as it is exported.
type Post struct {
	admin.Post
	// Files are the paths of the post's files below a folder, by their ids.
	Files map[string]string `json:"files,omitempty"`
}

// Source gives posts, the oldest first, a page at a time.
type Source interface {
	Posts(ctx context.Context, q admin.PostQuery) (admin.Page[admin.Post], error)
}

// Export is one file in the making. What was got stands in a file of its own until
// all columns are known.
type Export struct {
	options Options
	columns []string // the fields, in the order in which they first came
	known   map[string]bool
	spool   *os.File
	cut     int
}

// New begins an export. Close ends it.
func New(o Options) (*Export, error) {
	spool, err := os.CreateTemp("", "hookgate-export-*")
	if err != nil {
		return nil, err
	}
	e := &Export{options: o, known: map[string]bool{}, spool: spool}
	for _, name := range o.Fields {
		e.column(strings.TrimSuffix(name, "[]"))
	}
	return e, nil
}

// Close removes what was collected.
func (e *Export) Close() error { return errors.Join(e.spool.Close(), os.Remove(e.spool.Name())) }

// Collect gets all posts that q selects. each, which may be nil, is called for every
// one before it is kept.
func (e *Export) Collect(ctx context.Context, from Source, q admin.PostQuery, each func(*Post) error) (count int, err error) {
	w := bufio.NewWriter(e.spool)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for {
		page, err := from.Posts(ctx, q)
		if err != nil {
			return count, err
		}
		for i := range page.Items {
			if err := e.keep(page.Items[i], encoder, each); err != nil {
				return count, err
			}
			count++
		}
		if page.Next == "" {
			return count, w.Flush()
		}
		if q.After, err = event.ParseID(page.Next); err != nil {
			return count, err
		}
	}
}

// keep writes a post down, and its fields as columns.
func (e *Export) keep(p admin.Post, to *json.Encoder, each func(*Post) error) error {
	one := Post{Post: p}
	for _, m := range members(one.Data) {
		e.column(m.name)
	}
	if each != nil {
		if err := each(&one); err != nil {
			return err
		}
	}
	return to.Encode(one)
}

func (e *Export) column(name string) {
	if !e.known[name] {
		e.known[name] = true
		e.columns = append(e.columns, name)
	}
}

// Write turns what was collected into the file that is wanted.
func (e *Export) Write(to io.Writer) error {
	if _, err := e.spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	w := bufio.NewWriter(to)
	var err error
	switch e.options.Format {
	case JSON:
		err = e.writeJSON(w)
	case XLSX:
		book := xlsx.New(w, e.options.Form)
		if err = e.writeTable(book); err == nil {
			err = book.Close()
		}
		e.cut = book.Cut()
	case CSV:
		err = e.writeTable(csv.New(w, e.options.Delimiter))
	}
	return errors.Join(err, w.Flush())
}

// Cut is how many texts were longer than a cell of a workbook can hold, and were cut.
func (e *Export) Cut() int { return e.cut }
