;; Linked when the QuickJS binary exists: what stands behind every host function, the finalizer of handles, and the loop over pending jobs.
(module
  (import "q" "memory" (memory 1))
  (import "q" "__stack_pointer" (global $sp (mut i32)))
  (import "q" "JS_ExecutePendingJob" (func $job (param i32 i32) (result i32)))
  (import "host" "call" (func $call (param i32 i32 i32 i32 i32) (result i32)))
  (import "host" "wait" (func $wait (result externref)))
  (import "host" "finish" (func $finish (param i32 externref) (result i32)))
  (import "host" "finalize" (func $finalize (param i32)))
  (import "host" "module" (func $module (param i32 i32 externref) (result i32)))
  (import "host" "loaded" (func $loaded))
  ;; Not 0 while some fiber runs the body of a module: the host is told of the end of each job.
  (global $loading (export "loading") (mut i32) (i32.const 0))
  ;; Address of the runtime's current stack frame; its stack limit lies 16 bytes before.
  (global $csf (export "csf") (mut i32) (i32.const 0))

  ;; The result passes through a cell on the shadow stack. The host answers 1 to wait, as it may again when the wait has ended; a wait changes the shadow stack, the current frame and
  ;; the stack limit for other fibers, so all three are put back before anything else runs.
  (func (export "host_fn") (param $ctx i32) (param $this i64) (param $argc i32) (param $argv i32) (param $magic i32) (param $data i32) (result i64)
    (local $cell i32) (local $more i32) (local $stack i32) (local $frame i32) (local $limit i32) (local $outcome externref)
    global.get $sp i32.const 16 i32.sub local.tee $cell global.set $sp
    local.get $cell local.get $this i64.store
    local.get $ctx local.get $cell local.get $argc local.get $argv local.get $magic call $call local.set $more
    loop $again
      local.get $more
      if
        global.get $sp local.set $stack
        global.get $csf i32.load local.set $frame
        global.get $csf i32.const 16 i32.sub i32.load local.set $limit
        call $wait local.set $outcome
        local.get $stack global.set $sp
        global.get $csf local.get $frame i32.store
        global.get $csf i32.const 16 i32.sub local.get $limit i32.store
        local.get $cell local.get $outcome call $finish local.set $more
        br $again
      end
    end
    local.get $cell i32.const 16 i32.add global.set $sp
    local.get $cell i64.load)

  (func (export "finalizer") (param $rt i32) (param $value i64)
    local.get $value i32.wrap_i64 call $finalize)

  ;; The address of a module's name, 0 when an exception is pending. The host answers -1 to wait until another fiber has run that module.
  (func (export "module_normalize") (param $from i32) (param $specifier i32) (result i32)
    (local $name i32) (local $stack i32) (local $frame i32) (local $limit i32) (local $outcome externref)
    loop $again
      local.get $from local.get $specifier local.get $outcome call $module local.tee $name
      i32.const -1 i32.eq
      if
        global.get $sp local.set $stack
        global.get $csf i32.load local.set $frame
        global.get $csf i32.const 16 i32.sub i32.load local.set $limit
        call $wait local.set $outcome
        local.get $stack global.set $sp
        global.get $csf local.get $frame i32.store
        global.get $csf i32.const 16 i32.sub local.get $limit i32.store
        br $again
      end
    end
    local.get $name)

  ;; Runs up to $most jobs: 1 when some may be left, 0 when none is, below 0 when one failed.
  (func (export "run_jobs") (param $rt i32) (param $cell i32) (param $most i32) (result i32) (local $ran i32)
    loop $next
      local.get $rt local.get $cell call $job local.set $ran
      global.get $loading if call $loaded end
      local.get $ran
      i32.const 0 i32.le_s if local.get $ran return end
      local.get $most i32.const 1 i32.sub local.tee $most
      br_if $next
    end
    i32.const 1))
