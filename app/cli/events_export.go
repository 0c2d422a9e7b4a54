package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"hookgate/app/admin"
	"hookgate/app/web/api/client"
)

func newEventsExport(s *session) *cobra.Command {
	var flags listFlags
	var format, delimiter, out string
	c := &cobra.Command{
		Use: "export", Short: "Write events as CSV, or with what came in as a JSON object a line",
		Example: `  hookgate events export --source sitejet --since 30d --out sitejet.csv
  hookgate events export --state rejected --format csv --delimiter ';' --out rejected.csv
  hookgate events export --where 'data.website.status == "Done"' --format ndjson --out done.ndjson`,
		Long: `Write the events that a search finds, the newest first: as CSV a row for each,
as ndjson an object a line, with what came in, the verdicts of the rules and the
deliveries. CSV is UTF-8 with a byte order mark, and has times in
server.timezone; a cell that a spreadsheet would take for a formula gets an
apostrophe before it. An event for which --where cannot be evaluated is left out.`,
		Args: exactly(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if s.json {
				format = string(admin.EventsNDJSON)
			}
			if out == "-" {
				out = ""
			}
			if err := flags.parse(s); err != nil {
				return err
			}
			if err := checkLimit(flags.search.Limit); err != nil {
				return err
			}
			x := admin.EventExport{Search: flags.search, Format: admin.EventFormat(format), Delimiter: delimiterOf(delimiter)}
			if err := x.Check(); err != nil {
				return usageError("", err)
			}
			return s.exportEvents(cmd.Context(), x, out)
		},
	}
	flags.add(c)
	f := c.Flags()
	f.IntVar(&flags.search.Limit, "limit", admin.MaxExported, "at most so many")
	f.StringVar(&format, "format", string(admin.EventsCSV), "csv or ndjson")
	f.StringVar(&delimiter, "delimiter", ",", "what parts the cells of CSV: `,` or ; or | or a tab")
	f.StringVar(&out, "out", "", "the `file` to write (else, and with -, standard output)")
	return c
}

// delimiterOf is what parts cells; anything but a single character parts none, which
// the check of the options says.
func delimiterOf(text string) rune {
	if r, size := utf8.DecodeRuneInString(text); size == len(text) && size > 0 {
		return r
	}
	return utf8.RuneError
}

// exportEvents writes to the file, or to standard output.
func (s *session) exportEvents(ctx context.Context, x admin.EventExport, out string) error {
	server, err := s.connect()
	if err != nil {
		return err
	}
	content, err := server.ExportEvents(ctx, x)
	if err != nil {
		return s.searchFailure(x.Where, err)
	}
	defer func() { _ = content.Close() }()
	found := &rowCounter{session: s, csv: x.Format == admin.EventsCSV, told: s.now()}
	write := func(w io.Writer) error {
		_, err := io.Copy(w, io.TeeReader(content, found))
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("%w: the server broke off, its log says why; %s came", client.ErrUnreachable, plural(found.events(), "event"))
		}
		return err
	}
	if out == "" {
		err = write(s.data(x.Format == admin.EventsNDJSON))
	} else if err = writeFile(out, 0o600, write); err == nil {
		s.note("%s written to %s", plural(found.events(), "event"), out)
	}
	if err != nil {
		return serverError(err)
	}
	if found.events() == admin.MaxExported {
		s.note("a file holds no more: --before with the id of its last event goes on from there")
	}
	return nil
}

// rowCounter counts the events in what is written to it, and tells now and then how
// many there are. A line of CSV may end within a cell.
type rowCounter struct {
	session *session
	csv     bool
	told    time.Time
	lines   int
	quoted  bool // the end of a line would be within a cell
}

// events are the lines but that of the columns' names.
func (c *rowCounter) events() int {
	if c.csv {
		return max(0, c.lines-1)
	}
	return c.lines
}

// Write implements io.Writer.
func (c *rowCounter) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		i := bytes.IndexAny(rest, "\"\n")
		if i < 0 {
			break
		}
		switch {
		case rest[i] == '\n' && !c.quoted:
			c.lines++
		case rest[i] == '"' && c.csv:
			c.quoted = !c.quoted
		}
		rest = rest[i+1:]
	}
	if now := c.session.now(); now.Sub(c.told) >= tellEvery {
		c.told = now
		c.session.note("%s so far", plural(c.events(), "event"))
	}
	return len(p), nil
}
