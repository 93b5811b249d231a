"""An API server. From the bottom: store, rules of objects, how they are shown, lists and watches, the door `server`.

It answers as kube-apiserver 1.37 does, as far as clients of lists, watches and simple writes can see.
"""
