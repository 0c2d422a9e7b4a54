package db_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"hookgate/db"
	"hookgate/internal/event"
)

const keepRecord = 400 * 24 * time.Hour

func recordKey(key string) event.RecordKey { return event.RecordKey{Table: "t", Key: key} }

// judged stores an event that decide makes of what the record says, and judges
// it again where the record has changed meanwhile. It counts how often it was.
func judged(t testing.TB, s *db.Store, key, dedupe string, decide func(seen map[string]any, e *event.Event)) (duplicate bool, again int) {
	t.Helper()
	id := s.NewIDs(1)
	for ; ; again++ {
		record, err := s.ReadRecord(t.Context(), recordKey(key))
		if err != nil {
			t.Error(err)
			return false, again
		}
		e := event.Event{ID: id, Source: "s", Type: "t", ReceivedAt: time.Now(), State: event.Routed, Body: []byte("{}"), Reads: []event.Read{event.ReadOf(&record)}}
		e.Reads[0].Compare = true
		if dedupe != "" {
			e.Dedupe = &event.Dedupe{Key: dedupe, Window: time.Hour}
		}
		seen := map[string]any{}
		if record.Value != nil {
			if err := json.Unmarshal(record.Value, &seen); err != nil {
				t.Error(err)
			}
		}
		decide(seen, &e)
		first, err := s.Accept(&e, nil)
		if errors.Is(err, event.ErrRecordsChanged) {
			continue
		}
		if err != nil {
			t.Error(err)
		}
		return first != 0, again
	}
}

func write(key string, set, add string) event.RecordWrite {
	w := event.RecordWrite{RecordKey: recordKey(key), Rule: "r", Keep: keepRecord}
	for text, to := range map[string]*map[string]json.RawMessage{set: &w.Set, add: &w.Add} {
		if text != "" {
			_ = json.Unmarshal([]byte(text), to)
		}
	}
	return w
}

// Of all interleavings of events that read a record and write it, that add to
// it, and that repeat others, over one process and two, none loses a write,
// counts a repeat, or lets two events see the same. Without the comparison of
// versions in event.Records.Commit, counts are lost and both of a pair start, or
// neither does.
//
// Promise: F5.
func TestRecords_interleavings(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		stores := []*db.Store{mustOpenWall(t, p)}
		if p.shared() {
			stores = append(stores, mustReplica(t, p.url, 30*time.Second))
		}
		const workers, each, keys = 8, 60, 3
		var sets, adds, starts [keys]atomic.Int64
		var pairs sync.Map // who of a pair started
		var wg sync.WaitGroup
		for w := range workers {
			wg.Go(func() {
				chance := rand.New(rand.NewPCG(uint64(w), 7))
				for i := range each {
					s := stores[chance.IntN(len(stores))]
					k := chance.IntN(keys)
					key := fmt.Sprint("k", k)
					switch chance.IntN(3) {
					case 0: // a turn: read, and write what follows from it
						dedupe := ""
						if chance.IntN(3) == 0 {
							dedupe = fmt.Sprint("turn ", k, " ", i%7)
						}
						if repeat, _ := judged(t, s, key, dedupe, func(seen map[string]any, e *event.Event) {
							n, _ := seen["n"].(float64)
							e.Records = []event.RecordWrite{write(key, fmt.Sprintf(`{"n":%d}`, int(n)+1), "")}
						}); !repeat {
							sets[k].Add(1)
						}
					case 1: // a count, which reads nothing
						id := s.NewIDs(1)
						e := event.Event{ID: id, Source: "s", Type: "t", ReceivedAt: time.Now(), State: event.Routed, Body: []byte("{}"), Records: []event.RecordWrite{write(key, "", `{"sum":0.1}`)}}
						if _, err := s.Accept(&e, nil); err != nil {
							t.Error(err)
						}
						adds[k].Add(1)
					case 2: // signed, or paid: whoever comes last starts
						pair := fmt.Sprint("pair ", k, " ", i)
						mine, other := "signed", "paid"
						if w%2 == 0 {
							mine, other = other, mine
						}
						began := false
						judged(t, s, pair, "", func(seen map[string]any, e *event.Event) {
							_, both := seen[other]
							_, before := seen[mine]
							began = both && !before
							e.Records = []event.RecordWrite{write(pair, `{"`+mine+`":true}`, "")}
						})
						if began {
							if _, twice := pairs.LoadOrStore(pair, true); twice {
								t.Errorf("%s started twice", pair)
							}
							starts[k].Add(1)
						}
					}
				}
			})
		}
		wg.Wait()
		for k := range keys {
			record, err := stores[0].ReadRecord(t.Context(), recordKey(fmt.Sprint("k", k)))
			if err != nil {
				t.Fatal(err)
			}
			var got struct {
				N   int64
				Sum json.Number
			}
			if err := json.Unmarshal(record.Value, &got); err != nil {
				t.Fatal(err)
			}
			want := fmt.Sprintf("%d.%d", adds[k].Load()/10, adds[k].Load()%10)
			if got.N != sets[k].Load() || got.Sum.String() != want || record.Version != sets[k].Load()+adds[k].Load() {
				t.Errorf("k%d: %s in version %d, want n %d and sum %s", k, record.Value, record.Version, sets[k].Load(), want)
			}
		}
		list, err := stores[0].Records(t.Context(), "t", "", 10_000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if strings.HasPrefix(r.Key, "pair") && strings.Contains(string(r.Value), "signed") && strings.Contains(string(r.Value), "paid") {
				if _, started := pairs.Load(r.Key); !started {
					t.Errorf("%s is signed and paid, and nothing started", r.Key)
				}
			}
		}
	})
}

// What cannot be kept is refused alone, and nothing of its event is stored.
func TestRecords_refused(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s := mustOpenWall(t, p)
		accept := func(dedupe string, w ...event.RecordWrite) (event.ID, event.ID, error) {
			e := event.Event{ID: s.NewIDs(1), Source: "s", Type: "t", ReceivedAt: time.Now(), State: event.Routed, Body: []byte("{}"), Records: w, Dedupe: &event.Dedupe{Key: dedupe, Window: time.Hour}}
			first, err := s.Accept(&e, nil)
			return e.ID, first, err
		}
		for name, w := range map[string]event.RecordWrite{
			"is no number that can be added": write("a", "", `{"n":"many"}`),
			"and a record has at most 16384": write("a", `{"text":"`+strings.Repeat("x", event.MaxRecord)+`"}`, ""),
		} {
			id, _, err := accept(name, w)
			if fault := (*event.RecordError)(nil); !errors.As(err, &fault) || !strings.Contains(fault.Reason, name) || fault.Rule != "r" {
				t.Errorf("got %v, want %q", err, name)
			}
			if _, err := s.Event(t.Context(), id); !errors.Is(err, event.ErrNotFound) {
				t.Errorf("the event is stored: %v", err)
			}
			if _, first, err := accept(name, write("b", `{"a":1,"b":null}`, "")); err != nil || first != 0 { // the key was not used up
				t.Errorf("got the first %v, %v", first, err)
			}
		}
		record, err := s.ReadRecord(t.Context(), recordKey("b"))
		if err != nil || string(record.Value) != `{"a":1}` || record.Version != 2 {
			t.Errorf("got %s in version %d, %v", record.Value, record.Version, err)
		}
	})
}

// A record goes its time after its last change, and what operators do is
// compared as what rules do is.
func TestRecords_byHand(t *testing.T) {
	t.Parallel()
	forEachEngine(t, func(t *testing.T, p place) {
		s, c := newStore(t, p)
		if _, err := s.SetRecord(write("a", `{"x":1,"y":2}`, "")); err != nil {
			t.Fatal(err)
		}
		seen, err := s.ReadRecord(t.Context(), recordKey("a"))
		if err != nil || string(seen.Value) != `{"x":1,"y":2}` {
			t.Fatal(seen, err)
		}
		if made, err := s.SetRecord(write("a", `{"x":null}`, `{"y":0.5}`)); err != nil || string(made.Value) != `{"y":2.5}` || made.Version != 2 {
			t.Fatalf("got %s, %v", made.Value, err)
		}
		e := event.Event{ID: s.NewIDs(1), Source: "s", Type: "t", ReceivedAt: c.Now(), State: event.NoMatch, Body: []byte("{}"), Reads: []event.Read{event.ReadOf(&seen)}}
		e.Reads[0].Compare = true
		if _, err := s.Accept(&e, nil); !errors.Is(err, event.ErrRecordsChanged) {
			t.Errorf("got %v", err)
		}
		e.Reads[0].Compare = false
		if _, err := s.Accept(&e, nil); err != nil {
			t.Fatal(err)
		}
		stored, err := s.Event(t.Context(), e.ID)
		if err != nil || len(stored.Reads) != 1 || string(stored.Reads[0].Value) != `{"x":1,"y":2}` || stored.Reads[0].Version != 1 {
			t.Errorf("got the reads %+v, %v", stored.Reads, err)
		}
		c.Add(keepRecord + time.Minute)
		if gone, err := s.ReadRecord(t.Context(), recordKey("a")); err != nil || gone.Version != 0 {
			t.Errorf("got %+v, %v", gone, err)
		}
		if made, err := s.SetRecord(write("a", `{"z":1}`, "")); err != nil || string(made.Value) != `{"z":1}` || made.Version != 1 {
			t.Errorf("got %+v, %v", made, err)
		}
		if _, err := s.SetRecord(write("ada@x.de", `{"z":1}`, "")); err != nil {
			t.Fatal(err)
		}
		named := func(text string) bool { return strings.Contains(text, "ada@") }
		if n, err := s.CountNames(t.Context(), named); err != nil || n.Records != 1 {
			t.Errorf("counted %+v, %v", n, err)
		}
		if n, err := s.EraseNames(t.Context(), named); err != nil || n != (event.Named{Records: 1}) {
			t.Errorf("erased %+v, %v", n, err)
		}
		if n, err := s.DeleteRecords(recordKey("a"), recordKey("b")); err != nil || n != 1 {
			t.Errorf("deleted %d, %v", n, err)
		}
	})
}
