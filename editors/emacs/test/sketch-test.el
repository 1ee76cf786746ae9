;;; sketch-test.el --- prints TAP  -*- lexical-binding: t; -*-

(package-initialize)
(require 'eglot)
(require 'sketch)

(defvar sketch-test-command (list (getenv "SKETCH_IDE_SERVER") "serve" "--stdio"))
(setq sketch-program sketch-test-command)
(defvar sketch-test-count 0)
(defvar sketch-test-told nil "What was shown in the echo area, the latest first.")
(advice-add 'message :before
            (lambda (format &rest arguments)
              (when format (push (apply #'format-message format arguments) sketch-test-told))))

(defun sketch-test-eventually (probe)
  "Wait until PROBE returns something."
  (let ((deadline (+ (float-time) 60)) value)
    (while (and (not (setq value (funcall probe))) (< (float-time) deadline))
      (accept-process-output nil 0.05))
    value))

(defun sketch-test-told (text)
  "Wait for a message with TEXT."
  (sketch-test-eventually (lambda () (seq-find (lambda (told) (string-search text told)) sketch-test-told))))

(defun sketch-test (name value)
  (setq sketch-test-count (1+ sketch-test-count))
  (princ (format "%s %d - %s\n" (if value "ok" "not ok") sketch-test-count name)))

(defvar sketch-test-opened nil)
(setq browse-url-browser-function (lambda (url &rest _) (setq sketch-test-opened url)))

;; The package.
(find-file "main.py")
(sketch-start)
(sketch-test "a session starts, and its name is told" (sketch-test-told "is ready"))
(defvar sketch-test-name
  (replace-regexp-in-string ".*\\(sketch-[a-z0-9-]+\\) is ready.*" "\\1" (or (sketch-test-told "is ready") "")))
(make-process :name "server" :command (list (getenv "SKETCH_IDE_SERVER") "ssh" sketch-test-name "--" "python3" "-m" "http.server" "3000"))
(sketch-test "a port is told in the echo area, without a prompt" (sketch-test-told "Port 3000"))
(sketch-test "the ports are known" (sketch-test-eventually (lambda () sketch--ports)))
(sketch-ports)
(sketch-test "they are listed"
             (with-current-buffer "*sketch ports*"
               (string-match-p "^ *3000 +forwarded +http://localhost:[0-9]+.* python3" (buffer-string))))
(defun sketch-test-port ()
  "Go to the port's row."
  (set-buffer "*sketch ports*")
  (goto-char (point-min))
  (search-forward "3000"))
(sketch-test-port)
(sketch-ports-copy)
(sketch-test "its address is copied" (string-prefix-p "http://localhost:" (current-kill 0 t)))
(sketch-ports-stop)
(sketch-test "it stops, and the list says so"
             (sketch-test-eventually (lambda () (with-current-buffer "*sketch ports*" (string-match-p "^ *3000 +stopped" (buffer-string))))))
(sketch-test "what is not forwarded has no address" (condition-case nil (progn (sketch-test-port) (sketch-ports-copy) nil) (user-error t)))
(sketch-ports-forward)
(sketch-test "it is forwarded again"
             (sketch-test-eventually (lambda () (with-current-buffer "*sketch ports*" (string-match-p "^ *3000 +forwarded" (buffer-string))))))
(sketch-test-port)
(sketch-ports-open)
(sketch-test "it opens from the list" (equal sketch-test-opened (current-kill 0 t)))
(setq sketch-test-opened nil)
(set-buffer "main.py")
(sketch-open)
(sketch-test "it opens in the browser" (sketch-test-eventually (lambda () sketch-test-opened)))
(sketch-test "its page is there"
             (sketch-test-eventually
              (lambda () (with-temp-buffer
                           (and sketch-test-opened
                                (= 0 (call-process "curl" nil t nil "-fsS" "--max-time" "5" sketch-test-opened))
                                (string-search "main.py" (buffer-string)))))))
(setq sketch-test-told nil)
(sketch-merge)
(sketch-test "an error is told with its hint" (sketch-test-told "sketch: "))
(call-process (getenv "SKETCH_IDE_SERVER") nil nil nil "ssh" sketch-test-name "--" "echo more >>main.py && git rm -q --cached main.py && echo new >new && git add new")
(sketch-diff t)
(sketch-test "what has changed inside is shown"
             (sketch-test-eventually
              (lambda () (when-let ((buffer (get-buffer "*sketch diff*")))
                           (with-current-buffer buffer
                             (and (eq major-mode 'diff-mode) (string-match-p "^\\+\\+\\+ b/new\n@@ -0,0 \\+1,1 @@.*\n\\+new$" (buffer-string))))))))
(sketch-quit)
(sketch-test "the backend ends" (sketch-test-eventually (lambda () (null sketch--connection))))

;; Plain eglot, which finds the session that goes on.
(eglot '(python-mode) (project-current) 'eglot-lsp-server sketch-test-command "python")
(defvar sketch-test-server (sketch-test-eventually #'eglot-current-server))
(sketch-test "eglot connects" sketch-test-server)
;; It hands in what the repository's .dir-locals.el says, unasked.
(sketch-test "a repository names no programs" (sketch-test-told "models in the editor's settings: left out"))
(sketch-test "eglot executes a command"
             (equal sketch-test-name (plist-get (eglot-execute-command sketch-test-server "sketch.start" []) :name)))
(eglot-shutdown sketch-test-server)
(sketch-test "eglot's server ends" (sketch-test-eventually (lambda () (not (jsonrpc-running-p sketch-test-server)))))

(setq sketch-test-told nil)
(sketch-start)
(sketch-test "the session is found again" (sketch-test-told (concat sketch-test-name " is ready")))
(sketch-stop)
(sketch-test "it stops" (sketch-test-told "sketch: stopped"))
(sketch-quit)
(princ "# end\n")
;;; sketch-test.el ends here
