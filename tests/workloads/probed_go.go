// SPDX-License-Identifier: BSD-2-Clause

// probed_go.go - Go functions whose stacks grow, and so move, below a probed one.
//
//	probed_go grow N     Grow(i, "text-I") N times, each in a goroutine of its own
package main

import (
	"fmt"
	"os"
	"strconv"
)

//go:noinline
func deep(n int) int {
	var room [128]byte
	room[n%128] = byte(n)
	if n == 0 {
		return int(room[0])
	}
	return deep(n-1) + int(room[n%128])&1
}

// Grow is called on a small stack and needs a large one.
//
//go:noinline
func Grow(n int, text string) int {
	return deep(200)*0 + n + len(text)
}

func main() {
	sum := 0
	if len(os.Args) < 3 || os.Args[1] != "grow" {
		os.Exit(2)
	}
	n, _ := strconv.Atoi(os.Args[2])
	for i := 0; i < n; i++ {
		done := make(chan int)
		go func(i int) { done <- Grow(i, "text-"+strconv.Itoa(i)) }(i)
		sum += <-done
	}
	fmt.Println("grow", sum)
}
