package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"hookgate/app/ingest"

	"hookgate/app/admin"
	"hookgate/app/config"
	"hookgate/connectors"
	"hookgate/db"
	"hookgate/internal/schema"
)

// Past is the history of a gateway that need not be running.
type Past struct {
	reader *db.Reader
	kinds  *connectors.Catalog
	now    func() time.Time
}

// OpenPast opens a configuration's database for reading. kinds are those of
// connections that its rules may send to.
func OpenPast(ctx context.Context, s config.Storage, kinds *connectors.Catalog, now func() time.Time) (*Past, error) {
	var reader *db.Reader
	var err error
	if s.URL.IsZero() {
		reader, err = db.OpenReader(s.Path)
	} else {
		reader, err = db.OpenPostgresReader(s.URL)
	}
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	if err := reader.Check(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open the store: %w", err), reader.Close())
	}
	return &Past{reader: reader, kinds: kinds, now: now}, nil
}

// Close ends the reading.
func (p *Past) Close() error { return p.reader.Close() }

// Compare is what a server's Compare is; the rules in force are those that
// were in force last.
func (p *Past) Compare(ctx context.Context, r admin.CompareRequest) (admin.Comparison, error) {
	compile := func(source []byte) (*ingest.RuleSet, error) { return ruleSetOf(source, p.kinds, p.reader) }
	return admin.Compare(ctx, p.reader, r, admin.Versions{
		InForce: func() (*ingest.RuleSet, error) {
			v, err := p.reader.LatestPlan(ctx)
			if err != nil {
				return nil, err
			}
			return compile(v.Whole())
		},
		Compile: compile,
	}, p.now)
}

// sampleAll is how long the samples of all sources and forms may take.
const sampleAll = 15 * time.Second

// Origins is what is documented of each source, or follows from the fields of
// each form, by name.
func (l *Plan) Origins() map[string]schema.Source {
	origins := map[string]schema.Source{}
	for name, s := range l.Sources {
		o := schema.Source{Name: name}
		o.Sender, o.Documented = s.Documented()
		origins[name] = o
	}
	for name, f := range l.Forms {
		origins[name] = schema.Source{Name: name, Form: true, Documented: f.Shape()}
	}
	return origins
}

// Survey is what is known of the sources and forms of that name: documented,
// and seen in the database where there is one. For commands that run beside no
// server. Where the database cannot be read, the error says why, beside what
// is documented.
func (l *Plan) Survey(ctx context.Context, names ...string) (map[string]schema.Source, error) {
	known := l.Origins()
	origins := map[string]schema.Source{}
	for _, name := range names {
		if o, found := known[name]; found {
			origins[name] = o
		}
	}
	ctx, cancel := context.WithTimeout(ctx, sampleAll)
	defer cancel()
	reader, err := openReader(ctx, l.Config.Storage)
	if reader == nil {
		return origins, err
	}
	defer func() { _ = reader.Close() }()
	if err := reader.Check(ctx); err != nil {
		return origins, err
	}
	return origins, seen(ctx, reader, origins)
}

// seen adds what the newest events look like.
func seen(ctx context.Context, from admin.EventLister, origins map[string]schema.Source) error {
	for name, o := range origins {
		var err error
		if o.Seen, err = admin.Sample(ctx, from, name, o.Form); err != nil {
			return err
		}
		origins[name] = o
	}
	return nil
}

// OpenRecords opens the records of kept tables, for commands that run beside no
// server; nil where no rule uses any, or there is no database yet.
func (l *Plan) OpenRecords(ctx context.Context) (records ingest.Records, done func(), err error) {
	done = func() {}
	if len(l.Rules.Kept()) == 0 {
		return nil, done, nil
	}
	reader, err := openReader(ctx, l.Config.Storage)
	if reader == nil || err != nil {
		return nil, done, err
	}
	if err := reader.Check(ctx); err != nil {
		return nil, done, errors.Join(err, reader.Close())
	}
	return reader, func() { _ = reader.Close() }, nil
}

// openReader opens the SQLite file, or connects to PostgreSQL, for reading;
// nil if there is nothing there yet.
func openReader(ctx context.Context, s config.Storage) (*db.Reader, error) {
	var reader *db.Reader
	var err error
	switch {
	case s.URL.IsZero():
		reader, err = db.OpenReader(s.Path)
	case strings.Contains(s.URL.Reveal(), "${"): // the environment lacks it, which is an error already
		return nil, nil
	default:
		reader, err = db.OpenPostgresReader(s.URL)
	}
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if begun, err := reader.Begun(ctx); err != nil || !begun {
		return nil, errors.Join(err, reader.Close())
	}
	return reader, nil
}
