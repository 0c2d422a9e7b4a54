package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/admin/export"
	"hookgate/app/web/api/client"
	"hookgate/internal/diag"
)

// postExport is one call of forms export.
type postExport struct {
	*export.Export
	session *session
	server  *client.Client
	form    string
	since   time.Time
	options export.Options
	folder  *os.Root // where files go; nil: nowhere
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
				format = string(export.JSON)
			}
			if out == "-" {
				out = ""
			}
			options := export.Options{Form: args[0], Format: export.Format(format), Delimiter: delimiterOf(delimiter)}
			if err := options.Check(); err != nil {
				return usageError("", err)
			}
			if options.Format == export.XLSX && out == "" && s.out.TTY() {
				return usageError("write --out FILE.xlsx", errors.New("a workbook is nothing for a terminal"))
			}
			if err := s.readForm(&options); err != nil {
				return err
			}
			e := &postExport{session: s, form: args[0], options: options}
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
	f.StringVar(&format, "format", string(export.CSV), "csv, xlsx or json")
	f.StringVar(&delimiter, "delimiter", ",", "what parts the cells of CSV: `,` or ; or | or a tab")
	f.StringVar(&since, "since", "", "only after this `time`: 24h, 7d, 2026-03-10 or 2026-03-10T09:00:00Z")
	f.StringVar(&out, "out", "", "the `file` to write (else, and with -, standard output)")
	f.StringVar(&folder, "with-files", "", "also save the files, in this `folder`")
	return c
}

// readForm takes what the configuration says of the form into the options.
func (s *session) readForm(o *export.Options) error {
	loaded, _, err := s.load()
	if err != nil {
		return err
	}
	form := loaded.Forms[o.Form]
	if form == nil {
		names := slices.Sorted(maps.Keys(loaded.Forms))
		return &failure{code: exitNotFound, err: fmt.Errorf("the config has no form %q", o.Form), hint: diag.Among(o.Form, names)}
	}
	o.Fields, o.Zone = form.FieldNames(), loaded.Config.Server.Location
	return nil
}

// run writes to the file, or to standard output.
func (e *postExport) run(ctx context.Context, out, folder string) (err error) {
	if folder != "" {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return &failure{code: exitFailed, err: err}
		}
		if e.folder, err = os.OpenRoot(folder); err != nil {
			return &failure{code: exitFailed, err: err}
		}
		defer func() { err = errors.Join(err, e.folder.Close()) }()
	}
	if e.Export, err = export.New(e.options); err != nil {
		return &failure{code: exitFailed, err: err}
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	count, err := e.collect(ctx)
	if err != nil {
		return serverError(err)
	}
	write := func(w io.Writer) error { return e.Write(w) }
	if out == "" {
		err = write(e.session.data(e.options.Format == export.JSON))
	} else if err = writeFile(out, 0o600, write); err == nil {
		e.session.note("%s written to %s", plural(count, "post"), out)
	}
	if n := e.Cut(); n > 0 {
		e.session.note("%s longer than a cell can hold, and cut; CSV and JSON have them whole", plural(n, "text"))
	}
	if err != nil {
		return &failure{code: exitFailed, err: err}
	}
	return nil
}

// collect gets all posts, and saves their files where that is wanted.
func (e *postExport) collect(ctx context.Context) (int, error) {
	since := e.since
	if since.IsZero() {
		since = time.Unix(0, 0)
	}
	counts, err := e.server.Forms(ctx, since)
	if err != nil {
		return 0, err
	}
	total, done := 0, 0
	for i := range counts.Items {
		if counts.Items[i].Name == e.form {
			total = counts.Items[i].Posts
		}
	}
	bar := e.session.progress(total, "posts")
	defer bar.end()
	return e.Collect(ctx, e.server, admin.PostQuery{Form: e.form, Since: e.since, Limit: admin.MaxLimit}, func(one *export.Post) error {
		done++
		bar.set(done)
		return e.saveFiles(ctx, one)
	})
}

func (e *postExport) saveFiles(ctx context.Context, one *export.Post) error {
	if e.folder == nil {
		return nil
	}
	for i, ref := range export.Files(one.Data) {
		saved := path.Base(fmt.Sprintf("%s-%d-%s", one.ID, i+1, strings.ReplaceAll(path.Base(ref.Name), `\`, "_")))
		if err := e.save(ctx, ref.ID, saved); err != nil {
			if errors.Is(err, client.ErrNotFound) {
				e.session.note("the file %s of %s is gone", ref.Name, one.ID)
				continue
			}
			return err
		}
		if one.Files == nil {
			one.Files = map[string]string{}
		}
		one.Files[ref.ID] = saved
	}
	return nil
}

func (e *postExport) save(ctx context.Context, id, name string) error {
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
