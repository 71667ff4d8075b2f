// The official Go client shows what a broker does, a behaviour at a time.
//
//	driver '{"serviceUrl": …, "adminUrl": …, "scenarios": […]}'
//
// Prints one JSON line a scenario: {"scenario", "status": "ok" | "failed" | "unsupported", "detail", "notes", "ms"}.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Config is what the harness tells.
type Config struct {
	ServiceURL  string            `json:"serviceUrl"`
	AdminURL    string            `json:"adminUrl"`
	ControlURL  string            `json:"controlUrl"`
	TLSURL      string            `json:"tlsUrl"`
	CaFile      string            `json:"caFile"`
	OtherCaFile string            `json:"otherCaFile"`
	Token       string            `json:"token"`
	ForgedToken string            `json:"forgedToken"`
	Tokens      map[string]string `json:"tokens"`
	RunID       string            `json:"runId"`
	Scenarios   []string          `json:"scenarios"`
	Workers     int               `json:"workers"`
	TimeoutMs   int               `json:"timeoutMs"`
	List        bool              `json:"list"`
}

var scenarios = map[string]func(*Context){}
var unsupported = map[string]string{}

func add(all map[string]func(*Context)) {
	for name, action := range all {
		scenarios[name] = action
	}
}

func without(reason string, names ...string) {
	for _, name := range names {
		unsupported[name] = reason
	}
}

var printLock sync.Mutex

func report(scenario, status, detail string, notes map[string]any, started time.Time) {
	line, err := json.Marshal(map[string]any{
		"scenario": scenario, "status": status, "detail": detail, "notes": notes,
		"ms": time.Since(started).Milliseconds(),
	})
	if err != nil {
		panic(err)
	}
	printLock.Lock()
	defer printLock.Unlock()
	fmt.Println(string(line))
}

// place names where a panic came from, in this program.
func place() string {
	frames := []string{}
	for skip := 3; skip < 20 && len(frames) < 3; skip++ {
		_, file, line, ok := runtime.Caller(skip)
		if !ok {
			break
		}
		short := file[strings.LastIndex(file, "/")+1:]
		if !strings.Contains(file, "/go/") || strings.Contains(file, "drivers/go/") {
			frames = append(frames, fmt.Sprintf("%s:%d", short, line))
		}
	}
	return strings.Join(frames, " ")
}

func runOne(config Config, name string) {
	started := time.Now()
	if reason, is := unsupported[name]; is {
		report(name, "unsupported", reason, map[string]any{}, started)
		return
	}
	action, is := scenarios[name]
	if !is {
		report(name, "failed", "the driver has no such scenario", map[string]any{}, started)
		return
	}
	context := newContext(config, name)
	done := make(chan string, 1)
	go func() {
		defer func() {
			if failure := recover(); failure != nil {
				done <- fmt.Sprintf("%v (%s)", failure, place())
			}
		}()
		action(context)
		done <- ""
	}()
	select {
	case failure := <-done:
		status := "ok"
		if failure != "" {
			status = "failed"
		}
		report(name, status, failure, context.seen(), started)
		context.end()
	case <-time.After(time.Duration(config.TimeoutMs) * time.Millisecond):
		report(name, "failed", "not done in time", context.seen(), started)
	}
}

func main() {
	var config Config
	if err := json.Unmarshal([]byte(os.Args[1]), &config); err != nil {
		panic(err)
	}
	if config.List {
		names := []string{}
		for name := range scenarios {
			names = append(names, name)
		}
		for name := range unsupported {
			names = append(names, name)
		}
		line, _ := json.Marshal(names)
		fmt.Println(string(line))
		return
	}
	queue := make(chan string)
	var workers sync.WaitGroup
	for range max(config.Workers, 1) {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for name := range queue {
				runOne(config, name)
			}
		}()
	}
	for _, name := range config.Scenarios {
		queue <- name
	}
	close(queue)
	workers.Wait()
	// A client that hangs must not keep the process.
	os.Exit(0)
}
