package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"time"
)

// order is what the load generator is told, as JSON on its standard input.
type order struct {
	Addr        string
	Also        []string // more addresses: the connections are dealt out
	Path        string
	Body        []byte
	Connections int
	Duration    time.Duration
	Count       int // ends after so many posts; 0: only after Duration
	// Rate is how many posts are sent each second, evenly, as far as they are
	// answered in time; 0: as many as are answered.
	Rate int
	// Reconnect has a sender whose connection was closed make another, as
	// servers close those whose body they did not read.
	Reconnect bool
}

// score is what the load generator found, as JSON on its standard output.
type score struct {
	Accepted int
	Refused  int // answers other than 2xx
	Took     time.Duration
	P50, P99 time.Duration
	CPU      time.Duration // what the load generator itself used
}

// rate is the number of accepted posts a second.
func (s score) rate() float64 { return float64(s.Accepted) / s.Took.Seconds() }

// generate is the program's part as the load generator: keep-alive connections
// that post the same bytes again and again, as fast as they are answered.
func generate() error {
	var o order
	if err := json.NewDecoder(os.Stdin).Decode(&o); err != nil {
		return err
	}
	request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		o.Path, o.Addr, len(o.Body), o.Body)
	ctx, cancel := context.WithTimeout(context.Background(), o.Duration)
	defer cancel()
	results := make([]worker, o.Connections)
	began := time.Now()
	var wg sync.WaitGroup
	for i := range results {
		if o.Count > 0 {
			results[i].left = o.Count/o.Connections + 1
		} else {
			results[i].left = -1
		}
		addr := o.Addr
		if n := i % (1 + len(o.Also)); n > 0 {
			addr = o.Also[n-1]
		}
		if o.Rate > 0 {
			each := time.Duration(o.Connections) * time.Second / time.Duration(o.Rate)
			results[i].every, results[i].next = each, began.Add(each*time.Duration(i)/time.Duration(o.Connections))
		}
		wg.Go(func() { results[i].run(ctx, addr, request, o.Reconnect) })
	}
	wg.Wait()
	s := score{Took: time.Since(began)}
	var times []time.Duration
	var errs []error
	for _, w := range results {
		s.Accepted += len(w.times)
		s.Refused += w.refused
		times = append(times, w.times...)
		errs = append(errs, w.err)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	slices.Sort(times)
	if len(times) > 0 {
		s.P50, s.P99 = times[len(times)/2], times[len(times)*99/100]
	}
	return json.NewEncoder(os.Stdout).Encode(s)
}

type worker struct {
	left    int // posts to go; negative: no limit
	times   []time.Duration
	refused int
	err     error
	every   time.Duration // from one post to the next; 0: none is waited for
	next    time.Time     // when the next post is to be sent
}

func (w *worker) run(ctx context.Context, addr string, request []byte, reconnect bool) {
	w.times = make([]time.Duration, 0, 1<<16)
	for ctx.Err() == nil && w.left != 0 {
		w.err = w.connection(ctx, addr, request)
		if w.err != nil && !reconnect {
			return
		}
	}
	if reconnect {
		w.err = nil
	}
}

// connection posts over one connection until it ends, or the worker's time or
// count.
func (w *worker) connection(ctx context.Context, addr string, request []byte) error {
	conn, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 4096)
	for ctx.Err() == nil && w.left != 0 {
		w.left--
		began := w.await()
		// A server that refuses a body may close before it has read all of it:
		// its answer is read all the same.
		_, sent := conn.Write(request)
		status, err := readAnswer(r)
		if err != nil {
			return errors.Join(sent, err)
		}
		if status/100 == 2 {
			w.times = append(w.times, time.Since(began))
		} else {
			w.refused++
		}
		if sent != nil {
			return sent
		}
	}
	return nil
}

// await waits until the next post is to be sent, and returns when its time begins:
// one that has to wait for the answer to the post before began when it was to be sent.
func (w *worker) await() time.Time {
	now := time.Now()
	if w.every == 0 {
		return now
	}
	due := w.next
	w.next = w.next.Add(w.every)
	if now.After(due) {
		return due
	}
	time.Sleep(due.Sub(now))
	return time.Now()
}

var errAnswer = errors.New("not an answer that the load generator understands")

// readAnswer reads an answer with a Content-Length, or in chunks, and drops its body.
func readAnswer(r *bufio.Reader) (status int, err error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, errAnswer
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, errAnswer
	}
	length, chunked := 0, false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, errAnswer
			}
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			chunked = true
		}
	}
	if chunked {
		_, err = io.Copy(io.Discard, &chunks{r: r})
		return status, err
	}
	_, err = r.Discard(length)
	return status, err
}

// chunks reads a chunked body; the yardsticks send small ones.
type chunks struct {
	r    *bufio.Reader
	done bool
}

// Read implements io.Reader: it drops the chunks and ends with io.EOF.
func (c *chunks) Read([]byte) (int, error) {
	if c.done {
		return 0, io.EOF
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	size, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
	if err != nil {
		return 0, errAnswer
	}
	c.done = size == 0
	_, err = c.r.Discard(int(size) + 2)
	return 0, err
}
