package cli

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// untilSignal gives a context that ends with ctx or at the first SIGINT or
// SIGTERM. A second one ends the process at once. stop gives the signals back;
// it may be called twice.
func untilSignal(ctx context.Context, exit func(code int)) (sub context.Context, stop func()) {
	sub, cancel := context.WithCancel(ctx)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for count := 0; ; count++ {
			select {
			case <-done:
				return
			case <-signals:
				if count > 0 {
					exit(exitInterrupted)
				}
				cancel()
			}
		}
	}()
	return sub, sync.OnceFunc(func() {
		signal.Stop(signals)
		close(done)
		<-finished
		cancel()
	})
}

// onHangup calls reload at every SIGHUP until stop is called.
func onHangup(reload func()) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	done := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for {
			select {
			case <-done:
				return
			case <-signals:
				reload()
			}
		}
	}()
	return func() {
		signal.Stop(signals)
		close(done)
		<-finished
	}
}
