// Command screenshots takes pictures of all pages of the demo: at the widths of a
// phone and of a desk, light and dark, in each language.
//
//	go run ./test/screenshots -to screenshots
package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// pages are the names of the pictures and the pages on them. Of a page below a list
// the second text is what its address holds on the page of the list.
var pages = []struct{ name, path, link string }{
	{"overview", "", ""},
	{"start", "start", ""},
	{"events", "events", ""},
	{"event", "deliveries?state=failed", "/ui/events/"},
	{"near-miss", "rules", "/ui/events/evt"},
	{"replay", "events?q=source%3Asitejet", "/ui/events/replay"},
	{"events-export", "events", "/ui/events/export"},
	{"deliveries", "deliveries", ""},
	{"retry", "deliveries", "/ui/deliveries/retry"},
	{"scheduled", "scheduled", ""},
	{"digests", "digests", ""},
	{"forms", "forms", ""},
	{"post", "forms", "post="},
	{"spam", "forms", "/spam"},
	{"form-fields", "forms", "/fields"},
	{"form-all", "forms", "/all"},
	{"export", "forms", "/export"},
	{"forget", "forget", ""},
	{"rules", "rules", ""},
	{"playground", "rules", "/ui/playground?"},
	{"routes", "routes", ""},
	{"connections", "connections", ""},
	{"tables", "tables", ""},
	{"config", "config", ""},
	{"config-change", "config/change", ""},
	{"config-versions", "config/versions", ""},
}

func main() {
	to := flag.String("to", "screenshots", "the folder for the pictures")
	only := flag.String("only", "", "a regular expression: the pages of these names")
	program := flag.String("program", "", "the program; default: it is built")
	flag.Parse()
	if err := run(*to, *only, *program); err != nil {
		fmt.Fprintln(os.Stderr, "screenshots:", err)
		os.Exit(1)
	}
}

func run(to, only, program string) error {
	chosen, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir, err := os.MkdirTemp("", "screenshots")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if program == "" {
		program = filepath.Join(dir, "hookgate")
		if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
			return fmt.Errorf("build: %w\n%s", err, out)
		}
	}
	link, end, err := demo(ctx, program)
	if err != nil {
		return err
	}
	defer end()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true))
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(link)); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	base, _, _ := strings.Cut(link, "/ui/")
	return shoot(ctx, base, to, chosen)
}

var loginLink = regexp.MustCompile(`http://\S+/ui/login/\S+`)

// demo starts the demo and waits for the link that logs in.
func demo(ctx context.Context, program string) (link string, end func(), err error) {
	cmd := exec.CommandContext(ctx, program, "demo")
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return "", nil, fmt.Errorf("start the demo: %w", err)
	}
	end = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if link = loginLink.FindString(lines.Text()); link != "" {
			go func() { // else the demo blocks
				for lines.Scan() { // what it says from now on is of no interest
				}
			}()
			return link, end, nil
		}
	}
	end()
	return "", nil, errors.New("the demo printed no link")
}

func shoot(ctx context.Context, base, to string, chosen *regexp.Regexp) error {
	if err := os.MkdirAll(to, 0o755); err != nil { // pictures for everybody
		return err
	}
	for _, lang := range []string{"en", "de"} {
		if err := chromedp.Do(ctx, chromedp.Navigate(base+"/ui/lang/"+lang)); err != nil {
			return err
		}
		for _, p := range pages {
			if !chosen.MatchString(p.name) {
				continue
			}
			address, err := find(ctx, base, p.path, p.link)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			if address == "" {
				fmt.Println("the demo has nothing for", p.name)
				continue
			}
			if err := picture(ctx, address, filepath.Join(to, p.name+"-"+lang)); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
		}
	}
	return nil
}

// find is the address of a page: that of path, or the first link there that holds
// link; "" where there is none.
func find(ctx context.Context, base, path, link string) (string, error) {
	address := base + "/ui/" + path
	if link == "" {
		return address, nil
	}
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		return "", err
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[string](fmt.Sprintf(`[...document.querySelectorAll("main a")].map(a => a.href.split("#")[0]).find(h => h.includes(%q)) ?? ""`, link)))
	if err != nil || found == "" {
		return "", err
	}
	_, err = url.Parse(found)
	return found, err
}

// picture writes the whole page in both widths and themes.
func picture(ctx context.Context, address, name string) error {
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		return err
	}
	for _, width := range []int64{390, 1440} {
		for _, theme := range []string{"light", "dark"} {
			if err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 900)); err != nil {
				return err
			}
			if err := chromedp.Do(ctx, scheme(theme)); err != nil {
				return err
			}
			time.Sleep(150 * time.Millisecond) // transitions
			const png = 100
			image, err := chromedp.Run(ctx, chromedp.FullScreenshot(png))
			if err != nil {
				return err
			}
			file := fmt.Sprintf("%s-%d-%s.png", name, width, theme)
			if err := os.WriteFile(file, image, 0o644); err != nil { // a picture for everybody
				return err
			}
			fmt.Println(file)
		}
	}
	return nil
}

func scheme(theme string) chromedp.Action[chromedp.Void] {
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: theme}}}
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, media)
		return err
	})
}
