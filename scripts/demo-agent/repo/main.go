package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprintf(w, "<!doctype html><title>Greetings</title><h1>%s</h1>\n", Greet(r.URL.Query().Get("name")))
	})
	log.Fatal(http.ListenAndServe(os.Args[1], nil))
}
