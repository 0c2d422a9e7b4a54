package access

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"sync"
	"time"

	"github.com/alexedwards/argon2id"

	"hookgate/internal/event"
)

// params are OWASP's first choice for argon2id: 19 MiB, two passes.
var params = &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// HashPassword is what password_hash of a user holds.
func HashPassword(password string) (string, error) { return argon2id.CreateHash(password, params) }

// CheckHash says what is wrong with the text of a hash; nil: it can be used. A
// hash that wants more than 64 MiB is refused: it would be everybody's memory.
func CheckHash(hash string) error {
	p, _, _, err := argon2id.DecodeHash(hash)
	if err != nil {
		return fmt.Errorf("it is no argon2id hash: %w", err)
	}
	if p.Memory > 64<<10 || p.Iterations > 10 {
		return fmt.Errorf("it wants %d MiB and %d passes; at most 64 MiB and 10 passes are taken", p.Memory>>10, p.Iterations)
	}
	return nil
}

const (
	// hashers is how many passwords are hashed at one time: each takes 19 MiB.
	hashers = 2
	// verifiedFor is how long a password that was right is known to be right:
	// HTTP basic sends it with every request.
	verifiedFor = time.Minute
	maxVerified = 256
)

// decoy is compared with where there is no such user, so that the time of an
// answer does not tell: it takes as long as the slowest of the users.
func decoy(users []User) User {
	for _, u := range users {
		if u.Hash != "" {
			return User{Hash: u.Hash}
		}
	}
	return User{Password: event.NewSecret(rand.Text())}
}

// checker compares passwords. It is safe for concurrent use.
type checker struct {
	now  func() time.Time
	turn chan struct{}
	key  []byte // of this process, for what is remembered

	mu    sync.Mutex
	known map[[sha256.Size]byte]time.Time // until when; by a keyed hash of user, hash and password
}

func newChecker(now func() time.Time) *checker {
	c := &checker{now: now, turn: make(chan struct{}, hashers), key: make([]byte, 32), known: map[[sha256.Size]byte]time.Time{}}
	_, _ = rand.Read(c.key)
	return c
}

// matches reports whether password is u's.
func (c *checker) matches(ctx context.Context, u User, password string) (bool, error) {
	if u.Hash == "" && !u.Password.IsZero() {
		a, b := sha256.Sum256([]byte(password)), sha256.Sum256([]byte(u.Password.Reveal()))
		return subtle.ConstantTimeCompare(a[:], b[:]) == 1, nil
	}
	mark := c.mark(u, password)
	if c.verified(mark) {
		return true, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return false, ctx.Err()
	}
	ok, err := argon2id.ComparePasswordAndHash(password, u.Hash)
	if err != nil {
		return false, fmt.Errorf("the password_hash of %q: %w", u.Name, err)
	}
	if ok {
		c.remember(mark)
	}
	return ok, nil
}

func (c *checker) mark(u User, password string) (mark [sha256.Size]byte) {
	h := hmac.New(sha256.New, c.key)
	for _, part := range []string{u.Name, u.Hash, password} {
		_, _ = fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	h.Sum(mark[:0])
	return mark
}

func (c *checker) verified(mark [sha256.Size]byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now().Before(c.known[mark])
}

func (c *checker) remember(mark [sha256.Size]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now()
	if len(c.known) >= maxVerified {
		for m, until := range c.known {
			if !now.Before(until) {
				delete(c.known, m)
			}
		}
		if len(c.known) >= maxVerified {
			clear(c.known)
		}
	}
	c.known[mark] = now.Add(verifiedFor)
}
