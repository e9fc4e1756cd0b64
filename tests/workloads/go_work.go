// SPDX-License-Identifier: BSD-2-Clause
//
// go_work SECONDS: goroutines that do what Go programs do all day.
//
// BUILD go_work-stripped: -ldflags='-s -w'
// BUILD go_work-pie: -buildmode=pie -ldflags='-s -w'
// BUILD go_work-headless: AFTER='z() { dd of=$NAME bs=4 seek=$1 count=1 conv=notrunc status=none </dev/zero; }; z 10; z 11; z 15' -ldflags='-s -w'
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

type record struct {
	Name   string
	Values []int
	Nested map[string]string
}

var sink int

//go:noinline
func recurse(depth int, values []int) int {
	if depth == 0 {
		sum := 0
		for _, v := range values {
			sum += v
		}
		return sum
	}
	return recurse(depth-1, values) + values[depth%len(values)]
}

func sortWork(n int) int {
	values := make([]int, 2000)
	for i := range values {
		values[i] = (i * 7919) ^ n
	}
	sort.Slice(values, func(i, j int) bool { return values[i] < values[j] })
	return recurse(50, values)
}

func jsonWork(n int) int {
	r := record{Name: "record " + strconv.Itoa(n), Nested: map[string]string{}}
	for i := 0; i < 50; i++ {
		r.Values = append(r.Values, i*n)
		r.Nested[strconv.Itoa(i)] = strings.Repeat("x", i)
	}
	text, err := json.Marshal(&r)
	if err != nil {
		panic(err)
	}
	var back record
	if err := json.Unmarshal(text, &back); err != nil {
		panic(err)
	}
	return len(back.Values)
}

func mapWork(n int) int {
	counts := map[int]int{}
	for i := 0; i < 5000; i++ {
		counts[(i*n)%1009] += i
	}
	return len(counts)
}

// Pointers, for the garbage collector to follow.
type tree struct{ left, right *tree }

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{}
	}
	return &tree{grow(depth - 1), grow(depth - 1)}
}

func (t *tree) count() int {
	if t.left == nil {
		return 1
	}
	return 1 + t.left.count() + t.right.count()
}

func timeWork(n int) int {
	for i := 0; i < 200; i++ {
		n += time.Now().Nanosecond()
	}
	return n
}

func main() {
	seconds := 10.0
	if len(os.Args) > 1 {
		var err error
		if seconds, err = strconv.ParseFloat(os.Args[1], 64); err != nil {
			fmt.Fprintln(os.Stderr, "usage: go_work SECONDS")
			os.Exit(2)
		}
	}
	end := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	work := []func(int) int{
		sortWork, jsonWork, mapWork, timeWork,
		func(n int) int { return grow(10).count() },
	}
	jobs := make(chan int)
	results := make(chan int, 16)
	var workers sync.WaitGroup
	for i := 0; i < 8; i++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for n := range jobs {
				results <- work[n%len(work)](n)
			}
		}()
	}
	go func() {
		for n := 0; time.Now().Before(end); n++ {
			jobs <- n
		}
		close(jobs)
		workers.Wait()
		close(results)
	}()
	for r := range results {
		sink += r
	}
}
