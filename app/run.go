package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"

	"hookgate/app/web"
	"hookgate/db"
)

// drainTime is how long Run finishes what is under way once it is to end.
const drainTime = 25 * time.Second

// requestTime is how much of it requests may take. What is being delivered has
// all of the time: an upload that stalls must not have it sent twice.
const requestTime = 10 * time.Second

// handOver is how long Run goes on accepting once it is to end, where a load
// balancer is to notice and to send to the other replicas: one that asks for
// /readyz every second, or two, does.
const handOver = 3 * time.Second

// Ready is closed once the server accepts requests.
func (a *App) Ready() <-chan struct{} { return a.ready }

// Addr is host:port on which the server listens, "" before Ready.
func (a *App) Addr() string {
	if addr := a.addr.Load(); addr != nil {
		return *addr
	}
	return ""
}

// Run serves until ctx ends or something fails that cannot be mended, then
// hands over where there may be somebody to hand over to, stops accepting,
// finishes what is under way, at most drainTime long, and closes the store.
func (a *App) Run(ctx context.Context) error {
	failed := make(chan error, 3)
	if err := a.listen(ctx, failed); err != nil {
		return errors.Join(err, a.end(context.WithoutCancel(ctx)))
	}
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	var tasks sync.WaitGroup
	tasks.Go(func() { a.maintain(background) })
	tasks.Go(func() { a.feed.Run(background) })
	tasks.Go(func() { a.stats.keep(background) })
	tasks.Go(func() { a.service.DoRetries(background) })
	tasks.Go(func() { a.newTeller().Run(background) })
	plan := a.newPlanner()
	a.planner.Store(plan)
	tasks.Go(func() { plan.Run(background) })
	tasks.Go(func() { a.newTicker().Run(background) })
	if watcher := a.newWatcher(); watcher != nil {
		target := a.follow(watcher, "")
		a.followParts(watcher)
		tasks.Go(func() { a.watch(background, watcher, target) })
	}
	tasks.Go(func() { a.pauses.follow(background, !a.plan.Load().Config.Storage.URL.IsZero()) })
	tasks.Go(func() { a.limits.follow(background) })
	tasks.Go(func() {
		a.store.Watch(background, db.Watch{
			Due: a.dispatcher.Poll, PauseStates: func() { a.pauses.changed(background) }, Limits: func() { a.limits.changed(background) },
		})
	})
	a.onEnd("background tasks", func(context.Context) error { stop(); tasks.Wait(); return nil })
	close(a.ready)

	var cause error
	select {
	case <-ctx.Done():
		a.opt.Logger.InfoContext(ctx, "stopping: finishing what is under way")
	case cause = <-failed:
	case <-a.store.Fatal():
		cause = fatal(a.store.Err())
	}
	a.draining.Store(true)
	if cause == nil && a.balanced() {
		cause = a.leave(failed)
	}
	limit := drainTime
	if a.store.Err() != nil {
		limit = 0 // results can no longer be recorded
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	err := errors.Join(cause, a.end(drain))
	a.opt.Logger.InfoContext(ctx, "stopped")
	return err
}

// balanced reports whether a proxy may send to other replicas instead.
func (a *App) balanced() bool {
	doc := a.plan.Load().Config
	return !doc.Storage.URL.IsZero() && len(doc.Server.TrustedProxies) > 0
}

// leave goes on for handOver while /readyz says that this process is not to be
// sent to. It returns what fails meanwhile.
func (a *App) leave(failed <-chan error) error {
	a.server.Leave()
	timer := time.NewTimer(handOver)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case err := <-failed:
		return err
	case <-a.store.Fatal():
		return fatal(a.store.Err())
	}
}

func fatal(err error) error {
	return fmt.Errorf("the database can no longer be trusted, nothing more is acknowledged: %w", err)
}

// listen opens the public listener and the socket of the API.
func (a *App) listen(ctx context.Context, failed chan<- error) error {
	doc := a.plan.Load().Config
	socket, err := web.ListenUnix(ctx, SocketPath(doc))
	if err != nil {
		return err
	}
	var config net.ListenConfig
	public, err := config.Listen(ctx, "tcp", doc.Server.Listen)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) { // the error has the address twice
			err = syscall.EADDRINUSE
		}
		return errors.Join(fmt.Errorf("server.listen: %s: %w", doc.Server.Listen, err), socket.Close())
	}
	addr := public.Addr().String()
	a.addr.Store(&addr)
	serve := func(name string, run func() error) {
		go func() {
			if err := run(); err != nil {
				failed <- fmt.Errorf("%s: %w", name, err)
			}
		}()
	}
	serve("public listener", func() error { return a.server.Serve(public) })
	serve("api socket", func() error { return a.server.ServeAdmin(socket) })
	a.onEnd("server", func(ctx context.Context) error { return a.server.Shutdown(ctx, requestTime) })
	a.onEnd("exports", func(context.Context) error { a.service.EndExports(); return nil })
	return nil
}

// notReady says why the process cannot do its work right now.
func (a *App) notReady() error {
	if a.draining.Load() {
		return errDraining
	}
	if err := a.store.Err(); err != nil {
		return err
	}
	return a.store.Ping()
}

var errDraining = errors.New("stopping")
