"""The controllers: loops that compare what is with what should be, and do the next thing about it.

Each watches objects through a cache, queues the names of those that may need work, and syncs
them one by one. They never call each other or the kubelet: they meet in the store.
"""
