#!/bin/bash
counter=$(ps -C nginx --no-heading|wc -l)
if [ "${counter}" = "0" ]; then
	    sleep 2
	    counter=$(ps -C nginx --no-heading|wc -l)
	    if [ "${counter}" = "0" ]; then
	            kill "$(cat /run/keepalived.pid)"
	    fi
fi
