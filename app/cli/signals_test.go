package cli

import (
	"context"
	"os"
	"sync/atomic"
	"syscall"
	"testing"
)

// These tests signal the process itself, so they run one after the other.

func send(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		t.Fatal(err)
	}
}

func TestUntilSignal(t *testing.T) {
	for _, first := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		exits := make(chan int, 1)
		ctx, stop := untilSignal(t.Context(), func(code int) { exits <- code })
		send(t, first)
		<-ctx.Done()
		select {
		case code := <-exits:
			t.Errorf("%v: the first signal exits with %d", first, code)
		default:
		}
		send(t, syscall.SIGTERM)
		if code := <-exits; code != exitInterrupted {
			t.Errorf("the second signal exits with %d, want %d", code, exitInterrupted)
		}
		stop()
		stop()
	}
}

func TestUntilSignal_parent(t *testing.T) {
	parent, cancel := context.WithCancel(t.Context())
	ctx, stop := untilSignal(parent, func(int) { t.Error("it exits") })
	cancel()
	<-ctx.Done()
	stop()
}

func TestOnHangup(t *testing.T) {
	var calls atomic.Int32
	called := make(chan struct{})
	stop := onHangup(func() { calls.Add(1); called <- struct{}{} })
	for range 2 {
		send(t, syscall.SIGHUP)
		<-called
	}
	stop()
	if n := calls.Load(); n != 2 {
		t.Errorf("called %d times, want 2", n)
	}
}
