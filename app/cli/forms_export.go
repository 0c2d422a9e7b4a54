package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/cli/csv"
	"hookgate/app/cli/xlsx"
	"hookgate/app/web/api/client"
	"hookgate/internal/diag"
	"hookgate/internal/event"
)

// export is one call of forms export.
type export struct {
	session *session
	server  *client.Client
	form    string
	since   time.Time
	folder  *os.Root // where files go; nil: nowhere

	format    string
	delimiter rune           // of CSV
	zone      *time.Location // that times are shown in

	columns []string // the fields, in the order in which they first came
	known   map[string]bool
}

// submission is a post as it is exported.
type submission struct {
	ID   event.ID        `json:"id"`
	Time time.Time       `json:"time"`
	Data json.RawMessage `json:"data"`
	// Files are the paths of the post's files below the folder, by their ids.
	Files map[string]string `json:"files,omitempty"`
}

func newFormsExport(s *session) *cobra.Command {
	var format, delimiter, since, out, folder string
	c := &cobra.Command{
		Use: "export NAME", Short: "Write what a form got as CSV, as a workbook or as JSON, with the files",
		Example: `  hookgate forms export contact --since 30d --out contact.csv
  hookgate forms export contact --format xlsx --out contact.xlsx
  hookgate forms export contact --format csv --delimiter ';' --out contact.csv
  hookgate forms export contact --format json --with-files ./files`,
		Long: `Write what a form got, oldest first, without spam. CSV is UTF-8 with a byte
order mark; a cell that a spreadsheet would take for a formula gets an
apostrophe before it. A workbook (xlsx) needs none: texts, such as telephone
numbers, are texts in it, numbers numbers, and times times. Both have times in
server.timezone.`,
		Args: exactly("the name of a form"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if s.json {
				format = jsonExport
			}
			if out == "-" {
				out = ""
			}
			if err := checkExport(s, format, delimiter, out); err != nil {
				return err
			}
			loaded, _, err := s.load()
			if err != nil {
				return err
			}
			form := loaded.Forms[args[0]]
			if form == nil {
				var names []string
				for name := range loaded.Forms {
					names = append(names, name)
				}
				return &failure{code: exitNotFound, err: fmt.Errorf("the config has no form %q", args[0]), hint: diag.DidYouMean(args[0], names)}
			}
			e := &export{
				session: s, form: args[0], known: map[string]bool{},
				format: format, delimiter: []rune(delimiter)[0], zone: loaded.Config.Server.Location,
			}
			for _, name := range form.FieldNames() {
				e.column(strings.TrimSuffix(name, "[]"))
			}
			if e.since, err = s.parseSince(since); err != nil {
				return err
			}
			if e.server, err = s.connect(); err != nil {
				return err
			}
			return e.run(cmd.Context(), out, folder)
		},
	}
	f := c.Flags()
	f.StringVar(&format, "format", csvExport, "csv, xlsx or json")
	f.StringVar(&delimiter, "delimiter", ",", "what parts the cells of CSV: `,` or ; or | or a tab")
	f.StringVar(&since, "since", "", "only after this `time`: 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z")
	f.StringVar(&out, "out", "", "the `file` to write (else, and with -, standard output)")
	f.StringVar(&folder, "with-files", "", "also save the files, in this `folder`")
	return c
}

// The formats of an export.
const (
	csvExport  = "csv"
	xlsxExport = "xlsx"
	jsonExport = "json"
)

func checkExport(s *session, format, delimiter, out string) error {
	switch {
	case !slices.Contains([]string{csvExport, xlsxExport, jsonExport}, format):
		return usageError("csv, xlsx or json", fmt.Errorf("there is no format %q", format))
	case !slices.Contains([]string{",", ";", "|", "\t"}, delimiter):
		return usageError("one of , ; | or a tab", fmt.Errorf("%q cannot part cells", delimiter))
	case delimiter != "," && format != csvExport:
		return usageError("leave it out", fmt.Errorf("%s has no delimiter", format))
	case format == xlsxExport && out == "" && s.out.TTY():
		return usageError("write --out FILE.xlsx", errors.New("a workbook is nothing for a terminal"))
	}
	return nil
}

// run writes to the file, or to standard output.
func (e *export) run(ctx context.Context, out, folder string) (err error) {
	if folder != "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return &failure{code: exitFailed, err: err}
		}
		if e.folder, err = os.OpenRoot(folder); err != nil {
			return &failure{code: exitFailed, err: err}
		}
		defer func() { err = errors.Join(err, e.folder.Close()) }()
	}
	// What was got stands in a file until all columns are known.
	spool, err := os.CreateTemp("", "hookgate-export-*")
	if err != nil {
		return &failure{code: exitFailed, err: err}
	}
	defer func() { _ = spool.Close(); _ = os.Remove(spool.Name()) }()
	count, err := e.collect(ctx, spool)
	if err != nil {
		return err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return &failure{code: exitFailed, err: err}
	}
	if out == "" {
		return e.write(spool, e.session.data(e.format == jsonExport))
	}
	if err := writeFile(out, 0o600, func(w io.Writer) error { return e.write(spool, w) }); err != nil {
		return &failure{code: exitFailed, err: err}
	}
	e.session.note("%s written to %s", plural(count, "post"), out)
	return nil
}

// collect gets all posts, a page of ids at a time, and each post whole.
func (e *export) collect(ctx context.Context, spool io.Writer) (count int, err error) {
	var ids []event.ID
	filter := event.Search{Filter: event.Filter{Source: e.form, States: event.JudgedStates(), Since: e.since, Limit: admin.MaxLimit}}
	for {
		page, err := e.server.Events(ctx, filter)
		if err != nil {
			return 0, serverError(err)
		}
		for _, item := range page.Items {
			ids = append(ids, item.ID)
		}
		if page.Next == "" || len(page.Items) == 0 {
			break
		}
		filter.Before = ids[len(ids)-1]
	}
	w, bar := bufio.NewWriter(spool), e.session.progress(len(ids), "posts")
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	for i, id := range slices.Backward(ids) { // oldest first
		one, err := e.get(ctx, id)
		if errors.Is(err, client.ErrNotFound) {
			continue // retention was quicker
		}
		if err != nil {
			return count, serverError(err)
		}
		if err := encoder.Encode(one); err != nil {
			return count, &failure{code: exitFailed, err: err}
		}
		count++
		bar.set(len(ids) - i)
	}
	return count, w.Flush()
}

// get is one post, with its files saved where that is wanted.
func (e *export) get(ctx context.Context, id event.ID) (*submission, error) {
	detail, err := e.server.Event(ctx, id)
	if err != nil {
		return nil, err
	}
	one := &submission{ID: id, Time: detail.Time, Data: detail.Data}
	for _, m := range members(one.Data) {
		e.column(m.name)
	}
	if e.folder == nil {
		return one, nil
	}
	for i, ref := range fileRefs(one.Data) {
		saved := path.Base(fmt.Sprintf("%s-%d-%s", id, i+1, strings.ReplaceAll(path.Base(ref.name), `\`, "_")))
		if err := e.save(ctx, ref.id, saved); err != nil {
			if errors.Is(err, client.ErrNotFound) {
				e.session.note("the file %s of %s is gone", ref.name, id)
				continue
			}
			return nil, err
		}
		if one.Files == nil {
			one.Files = map[string]string{}
		}
		one.Files[ref.id] = saved
	}
	return one, nil
}

func (e *export) save(ctx context.Context, id, name string) error {
	content, err := e.server.File(ctx, id)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	file, err := e.folder.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

func (e *export) column(name string) {
	if !e.known[name] {
		e.known[name] = true
		e.columns = append(e.columns, name)
	}
}

// write turns the spooled posts into the file that is wanted.
func (e *export) write(spool io.Reader, to io.Writer) error {
	w := bufio.NewWriter(to)
	var err error
	switch e.format {
	case jsonExport:
		err = e.writeJSON(spool, w)
	case xlsxExport:
		book := xlsx.New(w, e.form)
		if err = e.writeTable(spool, book); err == nil {
			err = book.Close()
		}
		if n := book.Cut(); n > 0 {
			e.session.note("%s longer than a cell can hold, and cut; CSV and JSON have them whole", plural(n, "text"))
		}
	default:
		err = e.writeTable(spool, csv.New(w, e.delimiter))
	}
	return errors.Join(err, w.Flush())
}

// table is a file of rows.
type table interface{ Row(values ...any) error }

func (e *export) writeTable(spool io.Reader, to table) error {
	header := []any{"id", "time"}
	for _, name := range e.columns {
		header = append(header, name)
	}
	if err := to.Row(header...); err != nil {
		return err
	}
	return each(spool, func(one *submission) error { return to.Row(e.row(one)...) })
}

func (e *export) writeJSON(spool io.Reader, w *bufio.Writer) error {
	_, _ = w.WriteString("[") // a bufio.Writer keeps its first error for Flush
	first := true
	err := each(spool, func(one *submission) error {
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
func each(spool io.Reader, do func(one *submission) error) error {
	decoder := json.NewDecoder(bufio.NewReader(spool))
	for decoder.More() {
		var one submission
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
func (e *export) row(one *submission) []any {
	values := map[string]any{}
	for _, m := range members(one.Data) {
		values[m.name] = cellText(m.value, one.Files)
	}
	at := one.Time.In(e.zone)
	row := []any{one.ID.String(), at}
	if e.format == csvExport {
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

// fileRef names a file of a post.
type fileRef struct{ id, name string }

// fileRefs are the files in a post's data, in their order.
func fileRefs(data json.RawMessage) []fileRef {
	var list []fileRef
	var look func(v any)
	look = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if id, name, ok := fileOf(v); ok {
				list = append(list, fileRef{id, name})
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
