// Package demo shows hookgate at work on one machine: the real server with a
// temporary database, a receiver that stands in for Slack and a billing
// service, and samples that are posted over real HTTP.
package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"hookgate/app"
	"hookgate/app/admin"
	"hookgate/app/cli/term"
	"hookgate/app/web/api/client"
	"hookgate/internal/diag"
)

// ErrIncomplete reports that not all of the expected deliveries arrived, or
// that an answer was not the expected one. What was wrong has been printed.
var ErrIncomplete = errors.New("the demo did not go as expected")

// Options say how the demo runs.
type Options struct {
	Out     *term.Screen
	Logger  *slog.Logger
	Version string
	Now     func() time.Time
	Once    bool // end after the samples instead of serving on
}

// demo is one run.
type demo struct {
	Options
	place    *workspace
	receiver *receiver
	base     string // the server's URL
	past     int    // how much of a made-up past is stored
	api      *client.Client
	clock    *clock
}

// Run runs the demo until ctx ends, or with Once until the samples are
// through. It returns ErrIncomplete when they did not go as expected.
func Run(ctx context.Context, o Options) error {
	d := &demo{Options: o, clock: &clock{real: o.Now}}
	if !o.Once {
		d.clock.set(o.Now().AddDate(0, 0, -historyDays-1)) // the database begins there
	}
	var err error
	if d.receiver, err = startReceiver(ctx); err != nil {
		return err
	}
	defer d.receiver.stop()
	if d.place, err = newWorkspace(d.receiver.url()); err != nil {
		return err
	}
	defer d.place.remove()
	if o.Once {
		if err := d.place.unpack(salesRules); err != nil {
			return err
		}
	}
	server, err := d.load() //nolint:contextcheck // the server outlives ctx: it drains
	if err != nil {
		return err
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- server.Run(running) }()
	select {
	case <-server.Ready():
	case err := <-ended:
		return fmt.Errorf("the server did not start: %w", err)
	}
	err = d.show(ctx, server.Addr())
	cancel()
	if stopped := <-ended; err == nil && stopped != nil && !errors.Is(stopped, context.Canceled) {
		err = stopped
	}
	return err
}

// load compiles the demo's config and makes the server.
func (d *demo) load() (*app.App, error) {
	loaded, report, err := app.Load(d.place.config())
	if err != nil {
		return nil, err
	}
	if report.List.Count(diag.Error) > 0 {
		return nil, report.List
	}
	d.api = client.Unix(app.SocketPath(loaded.Config))
	return app.New(loaded, app.Options{Logger: slog.New(calmly{d.Logger.Handler(), d.clock}), Version: d.Version, Now: d.clock.Now})
}

// salesRules is the file of the sales team, which has come since the made-up past:
// so there are two versions of the config to compare.
const salesRules = "sales/reminders.yaml"

// extend adds the sales team's rules to what is in force.
func (d *demo) extend(ctx context.Context) error {
	if err := d.place.unpack(salesRules); err != nil {
		return err
	}
	reloaded, err := d.api.Reload(ctx)
	if err == nil && !reloaded.OK {
		err = fmt.Errorf("%s was refused: %w", salesRules, ErrIncomplete)
	}
	return err
}

// show posts the samples and, unless told otherwise, serves on.
func (d *demo) show(ctx context.Context, addr string) error {
	defer d.api.Close()
	d.base = "http://" + addr
	if !d.Once {
		n, err := d.remember(ctx)
		if err != nil {
			return err
		}
		d.past = n
		if err := d.extend(ctx); err != nil {
			return err
		}
	}
	if err := d.receiver.expect(d.place.signingSecret, d.base+"/f/contact"); err != nil {
		return err
	}
	d.printIntro()
	var results []result
	for i, s := range requests() {
		r, err := d.run(ctx, i+1, s)
		if err != nil {
			return err
		}
		results = append(results, r)
	}
	complete := d.printSummary(results)
	if !complete {
		return ErrIncomplete
	}
	if d.Once {
		return nil
	}
	link, err := d.api.LoginLink(ctx, admin.LoginRequest{})
	if err != nil {
		return err
	}
	d.receiver.follow(d.printLive)
	d.printTry(link.URL)
	<-ctx.Done()
	return nil
}
