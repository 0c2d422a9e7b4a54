// Package app wires the parts into the running gateway: it loads the
// configuration into a plan, opens the store, starts the dispatcher and the server,
// swaps the plan at a reload, and ends all of it in the right order.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"hookgate/app/admin"
	"hookgate/app/admin/access"
	"hookgate/app/admin/tail"
	"hookgate/app/config"
	"hookgate/app/deliver"
	"hookgate/app/ingest"
	"hookgate/app/metrics"
	"hookgate/app/planner"
	"hookgate/app/web"
	"hookgate/db"
	"hookgate/internal/egress"
	"hookgate/internal/event"
	"hookgate/rules"
)

// Options are what an App needs besides its configuration.
type Options struct {
	Logger  *slog.Logger
	Version string
	Now     func() time.Time
}

// App is the gateway. Run may be called once.
type App struct {
	opt     Options
	path    string // of the configuration
	started time.Time

	store      *db.Store
	dispatcher *deliver.Dispatcher
	intake     *ingest.Intake
	metrics    *metrics.Metrics
	server     *web.Server
	egress     *egress.Client // of the configuration in force
	files      folder
	limits     sharedLimits
	pauses     pauses
	stats      attemptStats
	arrivals   arrivals
	service    *admin.Service
	planner    atomic.Pointer[planner.Planner] // nil before Run
	feed       *tail.Feed
	access     *access.Control

	plan    atomic.Pointer[Plan]
	reloads sync.Mutex
	// parts are the files beside the configuration file that it was made of
	// when it was last read, whether it could be used or not.
	parts    atomic.Pointer[config.Parts]
	refused  atomic.Pointer[admin.Refusal] // the last reload, where it was refused
	proxy    atomic.Pointer[netip.Addr]    // the last one that was not trusted
	draining atomic.Bool
	ready    chan struct{}
	addr     atomic.Pointer[string]

	formKey []byte // for the time tokens of forms

	cleanups []cleanup
}

// cleanup undoes one step of the start; they run in reverse order.
type cleanup struct {
	name string
	run  func(ctx context.Context) error
}

// New opens the store and starts delivering what waits in it. Run serves.
func New(loaded *Plan, opt Options) (*App, error) {
	a := &App{opt: opt, path: loaded.Config.Path, started: opt.Now(), ready: make(chan struct{}), metrics: metrics.New()}
	a.parts.Store(&loaded.parts)
	store, err := openStore(loaded.Config.Storage, opt, func(cause event.CancelCause, n int) { a.metrics.Cancelled(string(cause), n) })
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	a.store = store
	a.onEnd("store", func(context.Context) error { return store.Close() })
	a.files = folder{store: store, logger: opt.Logger, now: opt.Now}
	a.onEnd("folder for files", a.files.close)
	a.limits = sharedLimits{shared: store.SharedLimits(), logger: opt.Logger}
	a.dispatcher = deliver.New(store, a.delivery(loaded.Config.Storage))
	a.limits.workers = a.dispatcher
	a.pauses = pauses{store: store, workers: a.dispatcher, logger: opt.Logger, now: opt.Now}
	a.stats = attemptStats{store: store, workers: a.dispatcher, arrivals: &a.arrivals, logger: opt.Logger}
	if a.formKey, err = store.FormKey(context.Background()); err != nil {
		return nil, errors.Join(err, a.end(context.Background()))
	}
	a.intake = ingest.New(store, a.dispatcher, ingest.Options{
		Logger: opt.Logger, Captcha: a.checkCaptcha,
		Observe: func(source string, state event.State) {
			a.metrics.EventReceived(source, string(state))
			a.arrivals.count(source, state, opt.Now())
		},
		RuleError: a.metrics.RuleError, Records: store, Rejudged: a.metrics.Rejudged,
	})
	a.onEnd("health of connections", a.stats.save) // behind the last delivery
	a.onEnd("deliveries", func(ctx context.Context) error { a.dispatcher.Stop(ctx); return nil })
	if err := a.askReplicas(context.Background()); err != nil { // before anything is sent
		return nil, errors.Join(err, a.end(context.Background()))
	}
	if err := a.start(loaded); err != nil {
		return nil, errors.Join(err, a.end(context.Background()))
	}
	a.feed = tail.New(store, tail.Options{Logger: opt.Logger, Now: opt.Now, Present: admin.PresentLive})
	a.access = access.New(access.Options{
		Store: store, People: func() access.People { return a.plan.Load().Config.Server.Admin.Access() },
		Transport: guarded(func() *egress.Client { return a.plan.Load().client }), Now: opt.Now, Logger: opt.Logger,
	})
	a.server = web.New(a.webConfig(loaded))
	a.describe()
	return a, nil
}

// delivery is what the dispatcher needs besides the store.
func (a *App) delivery(s config.Storage) deliver.Options {
	o := deliver.Options{
		Logger: a.opt.Logger, Now: a.opt.Now, Holds: a.store.Holds, Poll: pollEvery(s),
		Signal: a.failedForGood, Followed: a.wakePlanner,
		Observe: func(connection string, result event.DeliveryState, took time.Duration) {
			a.metrics.DeliveryDone(connection, string(result), took)
		},
	}
	if a.limits.shared != nil {
		o.SharedLimits = a.limits.shared
	}
	return o
}

// openStore opens the file or the server's database that the configuration names.
func openStore(s config.Storage, opt Options, cancelled func(event.CancelCause, int)) (*db.Store, error) {
	options := db.Options{Logger: opt.Logger, Now: opt.Now, Version: opt.Version, Language: rules.Language, Cancelled: cancelled}
	if s.URL.IsZero() {
		return db.Open(context.Background(), s.Path, options)
	}
	options.Lease = s.Lease
	if name, err := os.Hostname(); err == nil {
		options.Name = name
	}
	return db.OpenPostgres(context.Background(), s.URL, options)
}

// pollEvery is how often lanes look into the store untold: seldom where only
// this process fills it, every second where others do, for being told of it
// is quicker but not certain.
func pollEvery(s config.Storage) time.Duration {
	if s.URL.IsZero() {
		return 0
	}
	return time.Second
}

func (a *App) onEnd(name string, run func(context.Context) error) {
	a.cleanups = append(a.cleanups, cleanup{name, run})
}

// end runs the cleanups, the latest first. It may be called twice.
func (a *App) end(ctx context.Context) error {
	var errs []error
	for _, c := range slices.Backward(a.cleanups) {
		if err := c.run(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", c.name, err))
		}
	}
	a.cleanups = nil
	return errors.Join(errs...)
}

func (a *App) webConfig(loaded *Plan) web.Config {
	a.service = a.operators()
	a.onEnd("operators", func(context.Context) error { a.service.Close(); return nil })
	operators := a.service
	return web.Config{
		Plan:      func() *ingest.Plan { return &a.plan.Load().Plan },
		Intake:    a.intake,
		Admin:     operators,
		Pages:     operators,
		Version:   a.opt.Version,
		Access:    a.access,
		Download:  a.files.Download,
		FormKey:   a.formKey,
		Ready:     a.notReady,
		Metrics:   a.metrics.Handler(),
		Refused:   a.metrics.EventReceived,
		Untrusted: func(proxy netip.Addr) { a.proxy.Store(&proxy) },
		Settings:  settings(loaded.Config),
		Logger:    a.opt.Logger,
		Now:       a.opt.Now,
	}
}

// settings are what the server itself takes from the configuration.
func settings(doc *config.Config) web.Settings {
	return web.Settings{
		PublicURL: doc.Server.PublicURL, TrustedProxies: doc.Server.TrustedProxies, MaxBody: int64(doc.Server.MaxBody),
		Location: doc.Server.Location,
	}
}

// describe connects the metrics to what they measure.
func (a *App) describe() {
	a.metrics.BuildInfo(a.opt.Version, runtime.Version())
	a.metrics.ConfigReload(true)
	a.metrics.SetQueue(func() map[string]int { return a.queues(context.Background()) })
	a.metrics.SetPaused(a.dispatcher.Paused)
	a.metrics.SetBroken(a.dispatcher.Broken)
	a.metrics.SetOldestWaiting(func() time.Duration { return a.oldestWaiting(context.Background()) })
	a.metrics.SetStored(func() []metrics.Stored {
		var list []metrics.Stored
		for _, q := range a.quotas() {
			list = append(list, metrics.Stored{Form: q.Form, Bytes: q.Used, Most: q.Limit})
		}
		return list
	})
	a.metrics.SetScheduled(func() int {
		n, err := a.store.Scheduled(context.Background())
		if err != nil {
			a.opt.Logger.Warn("what is scheduled cannot be counted", "error", err)
		}
		return n
	})
	a.metrics.SetDigests(func() int {
		n, err := a.store.CountDigests(context.Background())
		if err != nil {
			a.opt.Logger.Warn("the digests cannot be counted", "error", err)
		}
		return n
	})
	a.metrics.SetDatabaseSize(func() int64 {
		size, err := a.store.Size()
		if err != nil {
			a.opt.Logger.Warn("the size of the database cannot be read", "error", err)
		}
		return size
	})
}
