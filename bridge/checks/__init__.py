"""What `event-bridge check` finds out: can every stream run, and if not, what must be mended.

Law: a look changes nothing. No topic is made and no producer started, so a running bridge goes on undisturbed. One end
being down is no reason not to look at the other. Reading order: `report` (the words), `cluster`, `broker`, `check`.
"""
