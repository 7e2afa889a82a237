;; Linked when the Lua binary exists: setjmp and longjmp inside wasm, and what stands behind every host function.
(module
  (type $protected (func (param i32 i32)))
  (import "first" "longjmp" (tag $longjmp))
  (import "lua" "__indirect_function_table" (table 1 funcref))
  (import "lua" "setThrew" (func $setThrew (param i32 i32)))
  (import "lua" "stackSave" (func $stackSave (result i32)))
  (import "lua" "stackRestore" (func $stackRestore (param i32)))
  (import "lua" "lua_error" (func $lua_error (param i32) (result i32)))
  (import "lua" "__fuel" (global $fuel (mut i32)))
  (import "lua" "__running" (global $running (mut i32)))
  (import "lua" "memory" (memory 1))
  (import "lua" "lua_gettop" (func $gettop (param i32) (result i32)))
  (import "lua" "lua_settop" (func $settop (param i32 i32)))
  (import "lua" "lua_type" (func $type (param i32 i32) (result i32)))
  (import "lua" "lua_isinteger" (func $isinteger (param i32 i32) (result i32)))
  (import "lua" "lua_tonumberx" (func $tonumber (param i32 i32 i32) (result f64)))
  (import "lua" "lua_tointegerx" (func $tointeger (param i32 i32 i32) (result i64)))
  (import "lua" "lua_toboolean" (func $toboolean (param i32 i32) (result i32)))
  (import "lua" "lua_pushnil" (func $pushnil (param i32)))
  (import "lua" "lua_pushboolean" (func $pushboolean (param i32 i32)))
  (import "lua" "lua_pushnumber" (func $pushnumber (param i32 f64)))
  (import "lua" "lua_pushinteger" (func $pushinteger (param i32 i64)))
  (import "lua" "lua_rawlen" (func $rawlen (param i32 i32) (result i64)))
  (import "lua" "lua_next" (func $next (param i32 i32) (result i32)))
  (import "lua" "lua_rawgeti" (func $rawgeti (param i32 i32 i64) (result i32)))
  (import "lua" "lua_rawseti" (func $rawseti (param i32 i32 i64)))
  (import "lua" "lua_rawset" (func $rawset (param i32 i32)))
  (import "lua" "lua_checkstack" (func $checkstack (param i32 i32) (result i32)))
  (import "lua" "lua_createtable" (func $createtable (param i32 i32 i32)))
  (import "lua" "lua_getmetatable" (func $getmetatable (param i32 i32) (result i32)))
  (import "lua" "lua_setmetatable" (func $setmetatable (param i32 i32) (result i32)))
  (import "lua" "lua_topointer" (func $topointer (param i32 i32) (result i32)))
  (import "lua" "lua_tolstring" (func $tolstring (param i32 i32 i32) (result i32)))
  (import "lua" "lua_pushlstring" (func $pushlstring (param i32 i32 i32) (result i32)))
  (import "lua" "lua_pushlightuserdata" (func $pushlightuserdata (param i32 i32)))
  (import "host" "call" (func $call (param i32 i32 i32) (result i32)))
  (import "host" "wait" (func $wait (result externref)))
  (import "host" "finish" (func $finish (param i32 externref) (result i32)))
  (import "host" "interrupt" (func $interrupt (param i32) (result i32)))

  ;; Calls table[0](1, 2); what ran before runs again after a longjmp. A caught longjmp costs fuel, so that a loop of errors is no cheaper than one of instructions.
  (func (export "invoke_vii") (param i32 i32 i32) (local $sp i32) (local $before i32)
    call $stackSave local.set $sp
    global.get $running local.set $before
    try
      local.get 1 local.get 2 local.get 0 call_indirect (type $protected)
    catch $longjmp
      global.get $fuel i32.const 500 i32.sub global.set $fuel
      local.get $sp call $stackRestore
      local.get $before global.set $running
      i32.const 1 i32.const 0 call $setThrew
    end)

  ;; Where arguments lie for the host, and a result for the engine: doubles, and for arguments a byte each from $kinds on.
  (global $values (export "values") (mut i32) (i32.const 0))
  (global $kinds (export "kinds") (mut i32) (i32.const 0))

  ;; Each step from the host into the engine takes longer than all of this. Kinds of the first sixteen arguments: 0 a number that the host has as
  ;; it is, 1 nil, 2 false, 3 true, 4 what it reads itself (integers that a double cannot hold and floats without a fraction among it), 5 a text,
  ;; whose place and size lie there.
  (func $arguments (param $L i32) (param $count i32) (local $i i32) (local $type i32) (local $kind i32) (local $value f64)
    block $done
      loop $each
        local.get $i local.get $count i32.ge_s br_if $done
        local.get $i i32.const 16 i32.ge_u br_if $done
        local.get $L local.get $i i32.const 1 i32.add call $type local.set $type
        i32.const 4 local.set $kind
        local.get $type i32.const 3 i32.eq if
          local.get $L local.get $i i32.const 1 i32.add i32.const 0 call $tonumber local.set $value
          global.get $values local.get $i i32.const 3 i32.shl i32.add local.get $value f64.store
          local.get $L local.get $i i32.const 1 i32.add call $isinteger
          if (result i32) local.get $value f64.abs f64.const 9007199254740991 f64.gt else local.get $value local.get $value f64.trunc f64.eq end
          i32.const 2 i32.shl local.set $kind
        else
          local.get $type i32.eqz if i32.const 1 local.set $kind end
          local.get $type i32.const 4 i32.eq if
            global.get $values local.get $i i32.const 3 i32.shl i32.add
            local.get $L local.get $i i32.const 1 i32.add
            global.get $values local.get $i i32.const 3 i32.shl i32.add i32.const 4 i32.add
            call $tolstring i32.store
            i32.const 5 local.set $kind
          end
          local.get $type i32.const 1 i32.eq if local.get $L local.get $i i32.const 1 i32.add call $toboolean i32.const 2 i32.add local.set $kind end
        end
        global.get $kinds local.get $i i32.add local.get $kind i32.store8
        local.get $i i32.const 1 i32.add local.set $i
        br $each
      end
    end)

  ;; What the host's answer comes to: a number of results on the stack; -3 to -7 stand for one that is not there yet: the integer or the float at
  ;; $values, nil, false, true.
  (func $answer (param $L i32) (param $results i32) (result i32)
    local.get $results i32.const -3 i32.gt_s if local.get $results return end
    block $pushed
      local.get $results i32.const -3 i32.eq if local.get $L global.get $values f64.load i64.trunc_f64_s call $pushinteger br $pushed end
      local.get $results i32.const -4 i32.eq if local.get $L global.get $values f64.load call $pushnumber br $pushed end
      local.get $results i32.const -5 i32.eq if local.get $L call $pushnil br $pushed end
      local.get $L local.get $results i32.const -7 i32.eq call $pushboolean
    end
    i32.const 1)

  ;; The host answers as above, or with -1 to raise what is on the stack, or -2 to wait, as it may again when the wait has ended.
  ;; JSPI does not know the shadow stack, nor what runs: after a wait both are put back before anything else runs.
  (func (export "host_fn") (param $L i32) (result i32) (local $sp i32) (local $before i32) (local $results i32) (local $outcome externref)
    local.get $L call $gettop local.set $results
    local.get $L local.get $results call $arguments
    local.get $L
    local.get $L i32.const -1001001 i32.const 0 call $tonumber i32.trunc_f64_s
    local.get $results
    call $call local.set $results
    loop $again
      local.get $results i32.const -2 i32.eq
      if
        call $stackSave local.set $sp
        global.get $running local.set $before
        call $wait local.set $outcome
        local.get $sp call $stackRestore
        local.get $before global.set $running
        local.get $L local.get $outcome call $finish local.set $results
        br $again
      end
    end
    local.get $L local.get $results call $answer local.tee $results
    i32.const 0 i32.ge_s if local.get $results return end
    local.get $L call $lua_error)

  ;; The count hook of interrupts.
  (func (export "hook") (param $L i32) (param $info i32)
    local.get $L call $interrupt
    if local.get $L call $lua_error drop end)

  ;; The host's numbers are doubles: 64 bits would reach it as big integers, each an allocation.
  (func (export "push_integer") (param i32 f64)
    local.get 0 local.get 1 i64.trunc_f64_s call $pushinteger)
  (func (export "rawgeti") (param i32 i32 i32) (result i32)
    local.get 0 local.get 1 local.get 2 i64.extend_i32_s call $rawgeti)
  (func (export "rawseti") (param i32 i32 i32)
    local.get 0 local.get 1 local.get 2 i64.extend_i32_s call $rawseti)

  ;; A list lies in the array part of its table: 16 bytes for each value, and behind the first eight what it is, 3 an integer and 19 a float. The table
  ;; has at 8 how many there are, at 12 where they are (Lua 5.4, lobject.h); the probe checks both ways.

  ;; Reads a list of nothing but numbers: doubles to $at, and to $kinds a byte for each, 1 for a float. Gives how many there are, or -1
  ;; for anything else (other keys, other values, holes, fewer than $least or more than $most, integers that a double cannot hold); the stack is as before.
  (func (export "read_numbers") (param $L i32) (param $index i32) (param $at i32) (param $kinds i32) (param $least i32) (param $most i32) (result i32)
    (local $table i32) (local $from i32) (local $end i32) (local $count i32) (local $kind i32) (local $integer i64)
    local.get $L local.get $index call $rawlen local.tee $integer i32.wrap_i64 local.set $count
    local.get $integer local.get $least i64.extend_i32_u i64.lt_u if i32.const -1 return end
    local.get $integer local.get $most i64.extend_i32_u i64.gt_u if i32.const -1 return end
    local.get $L local.get $index call $topointer local.set $table
    local.get $table i32.load offset=8 local.get $count i32.lt_u
    if
      ;; What is known of the part's length may be old: to read the last value brings it up to date.
      local.get $L local.get $index local.get $integer call $rawgeti drop
      local.get $L i32.const -2 call $settop
      local.get $table i32.load offset=8 local.get $count i32.lt_u if i32.const -1 return end
    end
    local.get $table i32.load offset=12 local.tee $from local.get $count i32.const 4 i32.shl i32.add local.set $end
    loop $each
      local.get $from i32.load8_u offset=8 local.tee $kind i32.const 3 i32.eq
      if
        local.get $from i64.load local.tee $integer i64.const 9007199254740991 i64.add i64.const 18014398509481982 i64.gt_u if i32.const -1 return end
        local.get $at local.get $integer f64.convert_i64_s f64.store
        local.get $kinds i32.const 0 i32.store8
      else
        local.get $kind i32.const 19 i32.ne if i32.const -1 return end
        local.get $at local.get $from f64.load f64.store
        local.get $kinds i32.const 1 i32.store8
      end
      local.get $at i32.const 8 i32.add local.set $at
      local.get $kinds i32.const 1 i32.add local.set $kinds
      local.get $from i32.const 16 i32.add local.tee $from local.get $end i32.lt_u br_if $each
    end
    ;; Behind the last value of the array part come what is left of it and all other keys.
    local.get $L local.get $count i64.extend_i32_u call $pushinteger
    local.get $L local.get $index call $next
    if local.get $L i32.const -3 call $settop i32.const -1 return end
    local.get $count)

  ;; Fills the new table on top of the stack, made for $count values, with the doubles at $at; those whose byte at $kinds is 0 become integers.
  (func (export "write_numbers") (param $L i32) (param $at i32) (param $kinds i32) (param $count i32)
    (local $to i32) (local $end i32)
    local.get $L i32.const -1 call $topointer i32.load offset=12 local.tee $to local.get $count i32.const 4 i32.shl i32.add local.set $end
    loop $each
      local.get $kinds i32.load8_u
      if
        local.get $to local.get $at f64.load f64.store
        local.get $to i32.const 19 i32.store8 offset=8
      else
        local.get $to local.get $at f64.load i64.trunc_f64_s i64.store
        local.get $to i32.const 3 i32.store8 offset=8
      end
      local.get $at i32.const 8 i32.add local.set $at
      local.get $kinds i32.const 1 i32.add local.set $kinds
      local.get $to i32.const 16 i32.add local.tee $to local.get $end i32.lt_u br_if $each
    end)

  ;; Small tables cross as cells of sixteen bytes: what it is, a count, and from the eighth byte on a double or where a text lies.
  ;; 0 null, 1 false, 2 true, 3 integer, 4 float, 5 text of so many bytes, 6 a map of so many keys, each with its value behind it, 7 a list.
  (global $end (mut i32) (i32.const 0))
  (global $array (mut i32) (i32.const 0))
  (global $text_left (mut i32) (i32.const 0))

  ;; Reads the table at an index to $at, at most to $end; gives where the cells end, or 0 for a table that is not small or not data alone, as a map of more
  ;; than 64 keys. $array
  ;; is the address of the lists' metatable.
  (func (export "read_small") (param $L i32) (param $index i32) (param $at i32) (param $bytes i32) (param $array i32) (param $depth i32) (result i32)
    (local $top i32)
    local.get $L local.get $index call $rawlen i64.const 512 i64.gt_u if i32.const 0 return end
    local.get $L local.get $depth i32.const 3 i32.mul i32.const 3 i32.add call $checkstack i32.eqz if i32.const 0 return end
    local.get $at local.get $bytes i32.add i32.const 32 i32.sub global.set $end
    local.get $array global.set $array
    i32.const 65536 global.set $text_left
    local.get $L call $gettop local.set $top
    local.get $L local.get $index local.get $top local.get $at local.get $depth call $read_table
    local.get $L local.get $top call $settop)

  ;; Keys and values come at $top + 1 and $top + 2.
  (func $read_table (param $L i32) (param $index i32) (param $top i32) (param $at i32) (param $depth i32) (result i32)
    (local $start i32) (local $count i32) (local $kind i32) (local $type i32) (local $key i32) (local $of i32) (local $integer i64)
    local.get $depth i32.eqz if i32.const 0 return end
    local.get $top i32.const 1 i32.add local.tee $key i32.const 1 i32.add local.set $of
    local.get $at local.tee $start i32.const 16 i32.add local.set $at
    local.get $L call $pushnil
    block $other
      loop $each
        local.get $L local.get $index call $next
        if
          local.get $at global.get $end i32.gt_u br_if $other
          local.get $L local.get $key call $type i32.const 4 i32.eq
          if
            local.get $kind i32.const 7 i32.eq br_if $other
            i32.const 6 local.set $kind
            local.get $count i32.const 64 i32.ge_u br_if $other
            local.get $L local.get $key local.get $at call $read_text local.tee $at i32.eqz br_if $other
          else
            local.get $kind i32.const 6 i32.eq br_if $other
            i32.const 7 local.set $kind
            local.get $L local.get $key call $isinteger i32.eqz br_if $other
            local.get $L local.get $key i32.const 0 call $tointeger
            local.get $count i32.const 1 i32.add i64.extend_i32_u i64.ne br_if $other
          end
          block $read
            local.get $L local.get $of call $type local.set $type
            local.get $type i32.const 5 i32.eq if
              local.get $L local.get $of local.get $of local.get $at local.get $depth i32.const 1 i32.sub call $read_table
              local.tee $at i32.eqz br_if $other
              br $read
            end
            local.get $type i32.const 4 i32.eq if
              local.get $L local.get $of local.get $at call $read_text local.tee $at i32.eqz br_if $other
              br $read
            end
            local.get $type i32.const 3 i32.eq if
              local.get $L local.get $of call $isinteger
              if
                local.get $L local.get $of i32.const 0 call $tointeger local.tee $integer
                i64.const 9007199254740991 i64.add i64.const 18014398509481982 i64.gt_u br_if $other
                local.get $at i32.const 3 i32.store
                local.get $at local.get $integer f64.convert_i64_s f64.store offset=8
              else
                local.get $at i32.const 4 i32.store
                local.get $at local.get $L local.get $of i32.const 0 call $tonumber f64.store offset=8
              end
            else
              local.get $type i32.const 1 i32.eq if
                local.get $at local.get $L local.get $of call $toboolean i32.const 1 i32.add i32.store
              else
                local.get $type i32.const 2 i32.ne br_if $other
                local.get $at i32.const 0 i32.store
              end
            end
            local.get $at i32.const 16 i32.add local.set $at
          end
          local.get $count i32.const 1 i32.add local.set $count
          local.get $L local.get $key call $settop
          br $each
        end
      end
      local.get $kind i32.eqz if
        i32.const 6 local.set $kind
        local.get $L local.get $index call $getmetatable if
          local.get $L i32.const -1 call $topointer global.get $array i32.eq if i32.const 7 local.set $kind end
        end
      end
      local.get $start local.get $kind i32.store
      local.get $start local.get $count i32.store offset=4
      local.get $at return
    end
    i32.const 0)

  (func $read_text (param $L i32) (param $index i32) (param $at i32) (result i32)
    local.get $at i32.const 5 i32.store
    local.get $at local.get $L local.get $index local.get $at i32.const 4 i32.add call $tolstring i32.store offset=8
    global.get $text_left local.get $at i32.load offset=4 i32.sub global.set $text_left
    global.get $text_left i32.const 0 i32.lt_s if i32.const 0 return end
    local.get $at i32.const 16 i32.add)

  ;; Pushes what the cells at $at hold, with the lists' metatable from the registry; gives where they end.
  (func $write_small (export "write_small") (param $L i32) (param $at i32) (param $array i32) (result i32)
    (local $kind i32) (local $count i32) (local $i i32) (local $of i32)
    local.get $at i32.load local.set $kind
    local.get $at i32.load offset=4 local.set $count
    local.get $at i32.const 16 i32.add local.set $of
    block $pushed
      local.get $kind i32.const 5 i32.eq if local.get $L local.get $at i32.load offset=8 local.get $count call $pushlstring drop br $pushed end
      local.get $kind i32.const 3 i32.eq if local.get $L local.get $at f64.load offset=8 i64.trunc_f64_s call $pushinteger br $pushed end
      local.get $kind i32.const 4 i32.eq if local.get $L local.get $at f64.load offset=8 call $pushnumber br $pushed end
      local.get $kind i32.eqz if local.get $L i32.const 0 call $pushlightuserdata br $pushed end
      local.get $kind i32.const 6 i32.lt_u if local.get $L local.get $kind i32.const 1 i32.sub call $pushboolean br $pushed end
      local.get $kind i32.const 6 i32.eq
      if
        local.get $L i32.const 0 local.get $count call $createtable
        block $full
          loop $each
            local.get $i local.get $count i32.ge_u br_if $full
            local.get $L local.get $of local.get $array call $write_small local.set $of
            local.get $L local.get $of local.get $array call $write_small local.set $of
            local.get $L i32.const -3 call $rawset
            local.get $i i32.const 1 i32.add local.set $i
            br $each
          end
        end
      else
        local.get $L local.get $count i32.const 0 call $createtable
        block $full
          loop $each
            local.get $i local.get $count i32.ge_u br_if $full
            local.get $L local.get $of local.get $array call $write_small local.set $of
            local.get $i i32.const 1 i32.add local.set $i
            local.get $L i32.const -2 local.get $i i64.extend_i32_u call $rawseti
            br $each
          end
        end
        local.get $L i32.const -1001000 local.get $array i64.extend_i32_s call $rawgeti drop
        local.get $L i32.const -2 call $setmetatable drop
      end
    end
    local.get $of))
