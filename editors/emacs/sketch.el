;;; sketch.el --- A sandbox with a coding agent for the repository at hand  -*- lexical-binding: t; -*-

;; Package-Requires: ((emacs "28.1"))

;;; Commentary:

;; Runs the repository of the buffer in a container of its own, by sketch-ide.  Every server that is started inside is on
;; localhost, and one line in the echo area says so.  It speaks with the backend by itself, so that eglot or lsp-mode go on
;; beside it.  Nothing here waits or asks unasked: a prompt would take what is being typed.

;;; Code:

(require 'jsonrpc)
(require 'browse-url)
(require 'diff-mode)
(require 'seq)
(require 'subr-x)
(require 'tabulated-list)
(require 'vc)

(defgroup sketch nil "A sandbox for the repository at hand." :group 'tools)

(defcustom sketch-program '("sketch-ide" "serve" "--stdio")
  "The command line of the backend."
  :type '(repeat string))

(defcustom sketch-settings nil
  "Settings of the backend, a plist, e.g. (:baseImage \"debian:bookworm\")."
  :type 'plist)

;; Both reach beyond the container: a repository must not set them, nor Emacs offer to remember that it may.
(put 'sketch-program 'risky-local-variable t)
(put 'sketch-settings 'risky-local-variable t)

(defvar sketch--connection nil "The connection to the backend, while it runs.")
(defvar sketch--ports nil "The ports of the session, as last told.")
(defvar sketch--ports-buffer "*sketch ports*")

(defun sketch--notified (_ method params)
  "Take the notification METHOD with PARAMS."
  (pcase method
    ('window/showMessage (message "sketch: %s" (plist-get params :message)))
    ('window/logMessage
     (with-current-buffer (get-buffer-create "*sketch log*")
       (goto-char (point-max))
       (insert (plist-get params :message) "\n")))
    ('$/sketch/ports
     (setq sketch--ports (append (plist-get params :ports) nil))
     (sketch--refresh-ports))))

(defun sketch--requested (_ method params)
  "Answer the request METHOD with PARAMS."
  (pcase method
    ('window/showDocument
     (let ((uri (plist-get params :uri)))
       ;; Labels and protocols come from the repository's files: nothing but a web page is opened.
       (if (not (string-match-p "\\`https?://" uri))
           '(:success :json-false)
         (browse-url uri)
         '(:success t))))
    ('window/showMessageRequest
     (message "sketch: %s" (plist-get params :message))
     nil)
    ('window/workDoneProgress/create nil)
    (_ (signal 'jsonrpc-error (list "method not found" '(jsonrpc-error-code . -32601))))))

(defun sketch--ended (_)
  "Forget the backend, which has ended."
  (setq sketch--connection nil sketch--ports nil)
  (sketch--refresh-ports))

(defun sketch--connect ()
  "Start the backend where it does not run, and return the connection."
  (or sketch--connection
      (let* ((folder (directory-file-name (expand-file-name (or (vc-root-dir) default-directory))))
             (connection
              (jsonrpc-process-connection
               :name "sketch" :notification-dispatcher #'sketch--notified :request-dispatcher #'sketch--requested
               :on-shutdown #'sketch--ended
               :process (make-process :name "sketch" :command sketch-program :connection-type 'pipe :coding 'utf-8-emacs-unix
                                      :noquery t :stderr (get-buffer-create "*sketch stderr*")))))
        (jsonrpc-request
         connection :initialize
         (list :processId (emacs-pid) :clientInfo (list :name "Emacs" :version emacs-version)
               :rootUri (concat "file://" folder)
               ;; Not what a repository's .dir-locals.el makes of it.
               :initializationOptions (append '(:notifications "message") (default-value 'sketch-settings))
               :capabilities '(:window (:showDocument (:support t)) :experimental (:sketch (:version 1 :userSettings t)))))
        (jsonrpc-notify connection :initialized (make-hash-table))
        (setq sketch--connection connection))))

(defun sketch--execute (command argument done)
  "Run COMMAND with ARGUMENT (a plist or nil), and call DONE with its result.
A start may build an image, so nothing waits for it."
  (jsonrpc-async-request
   (sketch--connect) :workspace/executeCommand
   (list :command command :arguments (if argument (vector argument) []))
   :timeout 1800
   :success-fn done
   :error-fn (lambda (err)
               (message "sketch: %s. %s" (plist-get err :message) (or (plist-get (plist-get err :data) :hint) "")))))

(defun sketch-start ()
  "Start the session of this repository, or come back to it."
  (interactive)
  (sketch--execute "sketch.start" nil (lambda (session) (message "sketch: %s is ready" (plist-get session :name)))))

(defun sketch-stop ()
  "End the session and remove its container."
  (interactive)
  (when (or noninteractive (y-or-n-p "Stop the session and remove its container? "))
    (sketch--execute "sketch.stop" nil (lambda (_) (message "sketch: stopped")))))

(defun sketch--region ()
  "The lines of the active region as the agent gets them, or nil."
  (when (and (use-region-p) buffer-file-name (vc-root-dir))
    (vector (list :path (file-relative-name buffer-file-name (vc-root-dir))
                  :startLine (line-number-at-pos (region-beginning))
                  :endLine (line-number-at-pos (region-end))
                  :text (buffer-substring-no-properties (region-beginning) (region-end))))))

(defun sketch-prompt (text)
  "Tell the agent TEXT, with the lines of the region where one is active."
  (interactive "sSketch: ")
  (let ((region (sketch--region)))
    (sketch--execute "sketch.prompt" (append (list :text text) (when region (list :context region)))
                     (lambda (_) (message "sketch: the agent is at work")))))

(defun sketch-merge ()
  "Merge the session's branch into what is checked out, where nothing conflicts."
  (interactive)
  (sketch--execute
   "sketch.merge" nil
   (lambda (result)
     (message "sketch: %s" (if (eq (plist-get result :done) t)
                               (format "%s is merged into %s" (plist-get result :branch) (plist-get result :into))
                             (format "%s would conflict" (plist-get result :branch)))))))

(defun sketch-open ()
  "Open a forwarded port in the browser; ask which when there are several."
  (interactive)
  (let ((urls (mapcar (lambda (port) (plist-get port :url))
                      (seq-filter (lambda (port) (equal (plist-get port :status) "forwarded")) sketch--ports))))
    (cond ((null urls) (message "sketch: no port is forwarded"))
          ((null (cdr urls)) (browse-url (car urls)))
          (t (browse-url (completing-read "Open: " urls nil t))))))

(defun sketch--port-row (port)
  "PORT as a row of the list."
  (let ((text (lambda (value) (if value (format "%s" value) ""))))
    (list (plist-get port :number)
          (vector (funcall text (plist-get port :number))
                  (plist-get port :status)
                  (funcall text (plist-get port :url))
                  (funcall text (plist-get port :process))
                  (string-join (delq nil (list (plist-get port :label) (plist-get port :reason))) ", ")))))

(defun sketch--refresh-ports ()
  "Draw the list of ports again, where it is shown; the row at point stays."
  (when-let ((buffer (get-buffer sketch--ports-buffer)))
    (with-current-buffer buffer
      (setq tabulated-list-entries
            (mapcar #'sketch--port-row
                    (seq-remove (lambda (port) (equal (plist-get port :status) "closed")) sketch--ports)))
      (tabulated-list-print t))))

(defun sketch--port-at-point ()
  "The port of the row at point."
  (or (seq-find (lambda (port) (eql (plist-get port :number) (tabulated-list-get-id))) sketch--ports)
      (user-error "There is no port on this line")))

(defun sketch--url-at-point ()
  "Where the port at point is reached."
  (or (plist-get (sketch--port-at-point) :url) (user-error "This port is not forwarded; f forwards it")))

(defun sketch-ports-open ()
  "Open the port at point in the browser."
  (interactive)
  (browse-url (sketch--url-at-point)))

(defun sketch-ports-copy ()
  "Copy the URL of the port at point."
  (interactive)
  (kill-new (sketch--url-at-point))
  (message "sketch: copied %s" (current-kill 0 t)))

(defun sketch-ports-stop ()
  "Stop forwarding the port at point."
  (interactive)
  (sketch--execute "sketch.unforward" (list :port (plist-get (sketch--port-at-point) :number)) #'ignore))

(defun sketch-ports-forward ()
  "Forward the port at point."
  (interactive)
  (sketch--execute "sketch.forward" (list :port (plist-get (sketch--port-at-point) :number)) #'ignore))

(defvar sketch-ports-mode-map
  (let ((map (make-sparse-keymap)))
    (define-key map (kbd "RET") #'sketch-ports-open)
    (define-key map "w" #'sketch-ports-copy)
    (define-key map "k" #'sketch-ports-stop)
    (define-key map "f" #'sketch-ports-forward)
    map))

(define-derived-mode sketch-ports-mode tabulated-list-mode "Sketch Ports"
  "The ports of the session: \\<sketch-ports-mode-map>\\[sketch-ports-open] opens one, \\[sketch-ports-copy] copies its URL, \\[sketch-ports-stop]
stops forwarding it, \\[sketch-ports-forward] forwards it again.  The list is always current."
  (setq tabulated-list-format [("Port" 6 nil) ("State" 10 t) ("Address" 28 nil) ("Process" 16 t) ("" 0 nil)])
  (tabulated-list-init-header))

(defun sketch-ports ()
  "List the ports of the session."
  (interactive)
  (with-current-buffer (get-buffer-create sketch--ports-buffer)
    (unless (derived-mode-p 'sketch-ports-mode)
      (sketch-ports-mode)))
  (sketch--refresh-ports)
  (pop-to-buffer sketch--ports-buffer))

(defun sketch--diff-lines (result)
  "What RESULT tells has changed, as a unified diff."
  (with-temp-buffer
    (seq-doseq (file (plist-get result :files))
      (let ((path (plist-get file :path)) (status (plist-get file :status)))
        (insert (if (equal status "added") "--- /dev/null" (concat "--- a/" (or (plist-get file :oldPath) path))) "\n"
                (if (equal status "deleted") "+++ /dev/null" (concat "+++ b/" path)) "\n")
        (when (eq (plist-get file :binary) t)
          (insert "Binary files differ\n"))
        (seq-doseq (hunk (plist-get file :hunks))
          (insert (format "@@ -%d,%d +%d,%d @@ %s\n" (plist-get hunk :oldStart) (plist-get hunk :oldLines)
                          (plist-get hunk :newStart) (plist-get hunk :newLines) (or (plist-get hunk :header) "")))
          (seq-doseq (line (plist-get hunk :lines))
            (insert line "\n")))))
    (when (eq (plist-get result :truncated) t)
      (insert "There is more than is shown here: sketch-ide diff\n"))
    (buffer-string)))

(defun sketch-diff (&optional uncommitted)
  "Show what the session has changed; with a prefix argument, UNCOMMITTED work too."
  (interactive "P")
  (sketch--execute
   "sketch.diff" (when uncommitted '(:uncommitted t))
   (lambda (result)
     (if (seq-empty-p (plist-get result :files))
         (message "sketch: nothing has changed")
       (with-current-buffer (get-buffer-create "*sketch diff*")
         (let ((inhibit-read-only t))
           (erase-buffer)
           (insert (sketch--diff-lines result)))
         (goto-char (point-min))
         (diff-mode)
         (setq buffer-read-only t)
         (display-buffer (current-buffer)))))))

(defun sketch-quit ()
  "End the backend, and leave the session running."
  (interactive)
  (when sketch--connection
    (jsonrpc-request sketch--connection :shutdown nil)
    (jsonrpc-notify sketch--connection :exit nil)))

(provide 'sketch)
;;; sketch.el ends here
