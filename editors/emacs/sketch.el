;;; sketch.el --- A sandbox with a coding agent for the repository at hand  -*- lexical-binding: t; -*-

;; Package-Requires: ((emacs "28.1"))

;;; Commentary:

;; Runs the repository of the buffer in a container of its own, by sketch-ide.  Every server that is started inside is on
;; localhost, and one line in the echo area says so.  It speaks with the backend by itself, so that eglot or lsp-mode go on
;; beside it.  Nothing here waits or asks unasked: a prompt would take what is being typed.

;;; Code:

(require 'jsonrpc)
(require 'browse-url)
(require 'seq)
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

(defun sketch--notified (_ method params)
  "Take the notification METHOD with PARAMS."
  (pcase method
    ('window/showMessage (message "sketch: %s" (plist-get params :message)))
    ('window/logMessage
     (with-current-buffer (get-buffer-create "*sketch log*")
       (goto-char (point-max))
       (insert (plist-get params :message) "\n")))
    ('$/sketch/ports (setq sketch--ports (append (plist-get params :ports) nil)))))

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
  (setq sketch--connection nil sketch--ports nil))

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

(defun sketch-quit ()
  "End the backend, and leave the session running."
  (interactive)
  (when sketch--connection
    (jsonrpc-request sketch--connection :shutdown nil)
    (jsonrpc-notify sketch--connection :exit nil)))

(provide 'sketch)
;;; sketch.el ends here
